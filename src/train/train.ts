/** The training loop. */
import type { Config } from '../config/index.js';
import { type DatasetPair, imageSize } from '../data/dataset.js';
import { InputError } from '../errors.js';
import {
  checkpointPath,
  createRun,
  type MetricsLine,
  type Run,
  runPaths,
  writePredictions,
} from '../runs/index.js';
import { engineInformation, setThreads, tidy } from '../tensor/index.js';
import { saveCheckpoint } from './checkpoint.js';
import { evaluate, mostProbable, predictImages } from './evaluate.js';
import { Learning } from './learning.js';
import { toBatch, toImages } from './pixels.js';
import {
  createTrainingLoader,
  type Experiment,
  labeledImages,
  prepareExperiment,
  recordSplit,
} from './prepare.js';
import { learningRateAt } from './schedule.js';

export interface TrainOptions {
  /** exactly this run folder, which must not exist; default: a new one in `root` */
  readonly folder?: string;
  readonly root?: string;
  readonly name?: string;
  onStart?(run: Run): void;
  /** after every step */
  onStep?(progress: Progress): void;
}

interface RunOptions extends Pick<TrainOptions, 'onStep'> {
  readonly experiment: Experiment;
}

export interface Progress {
  /** steps done, and to do in all */
  readonly step: number;
  readonly steps: number;
  /** images through the network so far, counting each view */
  readonly images: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface TrainingResult {
  readonly folder: string;
  /** share of the test images that are classified right, 0…1 */
  readonly testAccuracy: number;
  /** the same of the validation images; null without any */
  readonly validationAccuracy: number | null;
  /** wall time of the training steps, without evaluation */
  readonly trainingSeconds: number;
  readonly images: number;
}

/**
 * Trains as the configuration says, in a new run folder.
 * @throws InputError where the data do not fit the configuration, the folder exists, or training diverges
 */
export async function train(
  config: Config,
  data: DatasetPair,
  options: TrainOptions = {},
): Promise<TrainingResult> {
  setThreads(config.threads ?? undefined);
  const experiment = prepareExperiment(config, data);
  const learning = createLearning(experiment);
  const run = createRun({ ...options, config, split: recordSplit(experiment), engine: engineInformation() });
  options.onStart?.(run);
  try {
    const { trainingSeconds, images, evaluation } = await runSteps(run, learning, { experiment, ...options });
    if (config.predictUnlabeled) predictUnlabeled(run, experiment, learning);
    const { testAccuracy, validationAccuracy } = evaluation;
    const results = { testAccuracy, trainingSeconds, images };
    run.finish(validationAccuracy === null ? results : { ...results, validationAccuracy });
    return { ...results, validationAccuracy, folder: run.folder };
  } catch (error) {
    run.fail(error);
    throw error;
  }
}

function createLearning(experiment: Experiment): Learning {
  const { classes, channels } = experiment.data.train;
  const images = () => labeledImages(experiment);
  return new Learning(experiment.config, { classes: classes.length, channels, labeledImages: images });
}

async function runSteps(run: Run, learning: Learning, { experiment, onStep }: RunOptions) {
  const { config, data, normalization } = experiment;
  const { classes, height, width, channels } = data.train;
  const views = learning.algorithm.views(config.algorithm);
  const normalize = (pixels: Uint8Array) => toImages(pixels, data.train, normalization);
  const isDue = (done: number, every: number) => done === config.steps || (every > 0 && done % every === 0);
  const loader = createTrainingLoader(experiment, 0);
  const means = new RunningMeans();
  let images = 0;
  let trainingSeconds = 0;

  try {
    for (let step = 0; step < config.steps; step++) {
      const started = performance.now();
      const batch = await loader.next();
      const metrics = tidy(() => learning.step(toBatch(batch, views, normalize), step));
      batch.release();
      trainingSeconds += (performance.now() - started) / 1000;
      if (!Number.isFinite(metrics.loss)) throw diverged(config, step, metrics);

      const done = step + 1;
      images += batch.pixels.length / imageSize(data.train);
      means.add(metrics);
      onStep?.({ step: done, steps: config.steps, images, metrics });
      if (isDue(done, config.logEvery)) {
        const learningRate = learningRateAt(step, config);
        run.metrics.append({ step: done, ...means.take(), learningRate, seconds: trainingSeconds });
      }
      if (isDue(done, config.evaluateEvery) && done < config.steps) {
        run.metrics.append({ step: done, ...evaluateAll(learning, experiment) });
      }
      if (isDue(done, config.saveEvery)) {
        const description = { config, step: done, classes, height, width, channels, normalization };
        saveCheckpoint(checkpointPath(run.folder, done), learning, description);
      }
    }
  } finally {
    await loader.close();
  }
  const evaluation = evaluateAll(learning, experiment);
  run.metrics.append({ step: config.steps, ...evaluation });
  return { trainingSeconds, images, evaluation };
}

/** Accuracy on the test images, which nothing is chosen by, and on validation images where there are any. */
function evaluateAll(learning: Learning, { data, split, normalization }: Experiment) {
  const testIndices = Int32Array.from({ length: data.test.count }, (_, index) => index);
  const test = evaluate(learning, data.test, { normalization, indices: testIndices });
  const validation =
    split.validation.length === 0
      ? null
      : evaluate(learning, data.train, { normalization, indices: split.validation });
  return { testAccuracy: test.accuracy, validationAccuracy: validation?.accuracy ?? null };
}

/** Labels every unlabeled training image. */
function predictUnlabeled(run: Run, { data, split, normalization }: Experiment, learning: Learning): void {
  const rows = predictImages(learning, data.train, { normalization, indices: split.unlabeled });
  writePredictions(
    runPaths(run.folder).predictions,
    rows.map((row, i) => {
      const label = mostProbable(row);
      return { image: split.unlabeled[i], predicted: data.train.classes[label], confidence: row[label] };
    }),
  );
}

function diverged(
  { optimizer }: Config,
  step: number,
  metrics: Readonly<Record<string, number>>,
): InputError {
  const parts = Object.entries(metrics).map(([name, value]) => `${name} ${value}`);
  return new InputError(
    `training diverged at step ${step} (${parts.join(', ')}): the loss is not a finite number; try a smaller ` +
      `optimizer.learningRate than ${optimizer.learningRate}, or more optimizer.warmupSteps`,
  );
}

/** Means of the metrics since they were last taken. */
class RunningMeans {
  private sums: Record<string, number> = {};
  private count = 0;

  add(metrics: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(metrics)) this.sums[name] = (this.sums[name] ?? 0) + value;
    this.count++;
  }

  take(): Omit<MetricsLine, 'step'> {
    const means = Object.fromEntries(
      Object.entries(this.sums).map(([name, sum]) => [name, sum / this.count]),
    );
    this.sums = {};
    this.count = 0;
    return means;
  }
}
