/**
 * Evaluation protocols: which images are looked at when, and what of it is reported. Nothing that training computes
 * depends on them.
 *
 * - `last`: the last weights. Test images are looked at once, at the end; with validation images, not at all.
 * - `median`: test images are looked at again and again, and the median of the last measurements is reported, as in the
 *   published FeatMatch code (where validation = test).
 * - `best-on-validation`: the weights that are best on validation images are kept, and look at the test images once.
 */
import type { Config } from '../config/index.js';
import { allIndices, type ImageDataset } from '../data/dataset.js';
import { InputError } from '../errors.js';
import { type Evaluation, evaluate } from './evaluate.js';
import type { Learning } from './learning.js';
import type { Experiment } from './prepare.js';

/** What one evaluation found: shares of images that are classified right, 0…1; null where none were looked at. */
export interface Accuracies {
  readonly testAccuracy: number | null;
  readonly validationAccuracy: number | null;
}

/** An evaluation of the weights after `step` training steps. */
export interface Measurement extends Accuracies {
  readonly step: number;
}

type EvaluationConfig = Config['evaluation'];

/** @param images how many there are to measure on @throws InputError where the protocol cannot be followed */
export function checkProtocol(
  { protocol, every }: EvaluationConfig,
  images: { validation: number; test: number },
): void {
  if (protocol === 'median' && images.validation + images.test === 0) {
    throw new InputError(
      "evaluation.protocol is 'median', but there are neither test nor validation images to measure on: set data.validation, or evaluation.protocol to last",
    );
  }
  if (protocol === 'best-on-validation' && images.validation === 0) {
    throw new InputError(
      "evaluation.protocol is 'best-on-validation', but no validation images are held out: set data.validation",
    );
  }
  if (protocol !== 'last' && every === 0) {
    throw new InputError(
      `evaluation.protocol is '${protocol}', which compares evaluations on the way, but there are none: set evaluation.every`,
    );
  }
}

/** Whether the weights that are best on validation images are kept and reported. */
export function keepsBest({ protocol }: EvaluationConfig): boolean {
  return protocol === 'best-on-validation';
}

/** Whether the weights of the last measurement, made just now, are the best on validation images so far, and to be kept. */
export function isNewBest(
  evaluation: EvaluationConfig,
  { step, measurements }: { step: number; measurements: readonly Measurement[] },
): boolean {
  const isMeasured = measurements.at(-1)?.step === step;
  return keepsBest(evaluation) && isMeasured && bestOnValidation(measurements).step === step;
}

/** Whether the weights after `done` steps are evaluated: the last ones are, others where the protocol looks at images. */
export function isEvaluated(experiment: Experiment, done: number): boolean {
  const { config } = experiment;
  const { protocol, every } = config.evaluation;
  const looksOnTheWay = protocol === 'median' || validationOf(experiment) !== null;
  return done === config.steps || (looksOnTheWay && every > 0 && done % every === 0);
}

/** Is told of each evaluation, and what images it was of. */
export type OnEvaluation = (evaluation: Evaluation, of: ReportedImages['of']) => void;

/** Accuracies of the weights after `step` steps, on the images that the protocol lets be looked at then. */
export async function measure(
  learning: Learning,
  experiment: Experiment,
  { step, onEvaluation }: { step: number; onEvaluation?: OnEvaluation },
): Promise<Measurement> {
  const { config, normalization, world } = experiment;
  const { protocol } = config.evaluation;
  const validation = validationOf(experiment);
  const looksAtTest =
    protocol === 'median' || (protocol === 'last' && step === config.steps && validation === null);
  const testAccuracy = looksAtTest ? await testAccuracyOf(learning, experiment, { onEvaluation }) : null;
  if (validation === null) return { step, testAccuracy, validationAccuracy: null };
  const { images, indices } = validation;
  const evaluation = await evaluate(learning, images, { normalization, indices, world });
  onEvaluation?.(evaluation, 'validation');
  return { step, testAccuracy, validationAccuracy: evaluation.accuracy };
}

/**
 * What a run reports of its measurements, and the training steps of the weights that it is about.
 * @param learning where the best weights are kept, it has those
 */
export async function conclude(
  learning: Learning,
  experiment: Experiment,
  { measurements, ...options }: TestOptions & { measurements: readonly Measurement[] },
): Promise<Measurement> {
  const { protocol, window } = experiment.config.evaluation;
  const last = measurements[measurements.length - 1];
  switch (protocol) {
    case 'last':
      return last;
    case 'median':
      return { step: last.step, ...medianOfLast(measurements, window) };
    case 'best-on-validation':
      return {
        ...bestOnValidation(measurements),
        testAccuracy: await testAccuracyOf(learning, experiment, options),
      };
  }
}

interface TestOptions {
  readonly signal?: AbortSignal;
  readonly onEvaluation?: OnEvaluation;
}

/** Null where the data set has no test images. */
async function testAccuracyOf(
  learning: Learning,
  { data, normalization, world }: Experiment,
  { signal, onEvaluation }: TestOptions,
): Promise<number | null> {
  if (data.test === null) return null;
  const options = { normalization, indices: allIndices(data.test), signal, world };
  const evaluation = await evaluate(learning, data.test, options);
  onEvaluation?.(evaluation, 'test');
  return evaluation.accuracy;
}

/** Labeled images of a data set, and what they are there for. */
export interface ReportedImages {
  readonly of: 'test' | 'validation';
  readonly images: ImageDataset;
  readonly indices: Int32Array;
}

/**
 * The images that may be looked at to explain a run: test images where it measured its accuracy on them at its end, else
 * validation images; null where there are none.
 */
export function reportedImages(
  experiment: Experiment,
  results: { readonly testAccuracy?: number | null } | null,
): ReportedImages | null {
  const { test } = experiment.data;
  if (test !== null && typeof results?.testAccuracy === 'number')
    return { of: 'test', images: test, indices: allIndices(test) };
  const validation = validationOf(experiment);
  return validation && { of: 'validation', ...validation };
}

/** The validation images: those of the data set, or those held out of its training images. */
function validationOf({ data, split }: Experiment): { images: ImageDataset; indices: Int32Array } | null {
  if (data.validation !== null) return { images: data.validation, indices: allIndices(data.validation) };
  return split.validation.length === 0 ? null : { images: data.train, indices: split.validation };
}

/** The first of the measurements that are best on validation images. @param measurements one or more */
export function bestOnValidation(measurements: readonly Measurement[]): Measurement {
  const accuracies = measurements.map(({ validationAccuracy }) => validationAccuracy ?? -1);
  return measurements[accuracies.indexOf(Math.max(...accuracies))];
}

/** The median of each accuracy over the last `window` measurements. */
export function medianOfLast(measurements: readonly Measurement[], window: number): Accuracies {
  const last = measurements.slice(-window);
  const of = (name: keyof Accuracies) => median(last.flatMap((measurement) => measurement[name] ?? []));
  return { testAccuracy: of('testAccuracy'), validationAccuracy: of('validationAccuracy') };
}

/** The middle one, or the mean of the middle two; null of none. */
function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
