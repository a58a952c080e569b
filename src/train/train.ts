/** The training loop. */
import type { Config } from '../config/index.js';
import { type DatasetParts, imageSize } from '../data/dataset.js';
import { InterruptedError } from '../errors.js';
import {
  checkpointPath,
  createRun,
  listCheckpoints,
  type Run,
  resumeRun,
  runPaths,
  writePredictions,
} from '../runs/index.js';
import { engineInformation, monotonicTime, profiled, recordSpan, tidy } from '../tensor/index.js';
import { type ModelDescription, readCheckpoint } from './checkpoint.js';
import { createDiagnosis } from './diagnosis.js';
import { checkSameEverywhere, shareLearning } from './distributed/same-everywhere.js';
import { unwrittenRun } from './distributed/unwritten-run.js';
import { alone, shareValue, type World } from './distributed/world.js';
import { divergence, NotFiniteError } from './divergence.js';
import { configureEngine } from './engine.js';
import { mostProbable, predictImages } from './evaluate.js';
import { describeInitialWeights, type InitialWeights, readInitialWeights } from './initial-weights.js';
import { Learning } from './learning.js';
import { placesOf, toBatch, toImages } from './pixels.js';
import {
  createTrainingLoader,
  type Experiment,
  labelDistribution,
  labeledImages,
  prepareExperiment,
  recordSplit,
} from './prepare.js';
import { createProfiler } from './profile.js';
import {
  type Accuracies,
  bestOnValidation,
  conclude,
  isEvaluated,
  isNewBest,
  keepsBest,
  measure,
} from './protocol.js';
import { checkSameExperiment, checkSameWeights, warnOfChanges } from './resume.js';
import { newestCheckpoint, saveRun } from './run-checkpoints.js';
import { learningRateAt } from './schedule.js';
import { createShow, type Show } from './show.js';
import { TrainingState } from './state.js';

export interface TrainOptions {
  /** exactly this run folder, which must not exist; default: a new one in `root` */
  readonly folder?: string;
  readonly root?: string;
  readonly name?: string;
  /** the folder of a run that did not finish, to go on with it instead */
  readonly resume?: string;
  /** writes what so many steps did when, after the first ten, to `profile.json` in the run folder */
  readonly profileSteps?: number;
  /** the processes that train together, each of which calls this; the first one writes. Default: one alone. */
  readonly world?: World;
  /** ends training early: the step is finished and saved */
  readonly signal?: AbortSignal;
  onStart?(started: Started): void;
  /** after every step */
  onStep?(progress: Progress): void;
  /** while the unlabeled images are labeled at the end: how many are, of how many */
  onLabel?(done: number, total: number): void;
  /** what a user should know, in a sentence; default: a warning of the process */
  onWarning?(sentence: string): void;
}

/** A run that begins, or goes on. */
export interface Started {
  readonly folder: string;
  /** training steps done, and images through the network for them */
  readonly step: number;
  readonly images: number;
}

export interface Progress {
  /** steps done, and to do in all */
  readonly step: number;
  readonly steps: number;
  /** images through the network so far, counting each view */
  readonly images: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Accuracies as the protocol of the configuration reports them. */
export interface TrainingResult extends Accuracies {
  readonly folder: string;
  /** training steps that the weights had which are reported and kept; for the median, the last of them */
  readonly evaluatedStep: number;
  /** wall time of the training steps, without evaluation */
  readonly trainingSeconds: number;
  /** processor time of all threads in that time */
  readonly trainingCpuSeconds: number;
  readonly images: number;
}

/**
 * Trains as the configuration says, in a new run folder, or goes on with the run of `options.resume` as if it had never
 * been interrupted.
 * @throws InputError where the data do not fit the configuration, the folder exists, or training diverges; where the
 *   run that is to go on is another, is finished, or is being trained
 * @throws InterruptedError where `options.signal` ended it
 */
export async function train(
  config: Config,
  data: DatasetParts,
  options: TrainOptions = {},
): Promise<TrainingResult> {
  const { world = alone } = options;
  configureEngine(config, world);
  const experiment = prepareExperiment(config, data, world);
  checkSameEverywhere(world, config, () => recordSplit(experiment));
  const { resume } = options;
  const isFromStart = resume === undefined || listCheckpoints(resume).length === 0;
  // A checkpoint has all weights, and the first process gives them to the others.
  const weights = isFromStart && world.rank === 0 ? readInitialWeights(config) : null;
  const learning = createLearning(experiment, weights);
  const { run, state } = openSharedRun(experiment, learning, { ...options, weights });
  const { folder } = run;
  const { signal } = options;
  try {
    options.onStart?.({ folder, step: state.step, images: state.images });
    const show = createShow(run, experiment, state);
    await runSteps(run, learning, { experiment, state, show, ...options });
    const { measurements, images, stopwatch } = state;
    if (keepsBest(config.evaluation)) {
      if (world.rank === 0)
        readCheckpoint(checkpointPath(folder, bestOnValidation(measurements).step)).restore(learning);
      shareLearning(world, learning);
    }
    const { step: evaluatedStep, ...accuracies } = await conclude(learning, experiment, {
      measurements,
      signal,
      onEvaluation: show.evaluation,
    });
    await show.end(learning);
    if (config.predictUnlabeled) await predictUnlabeled(run, learning, { experiment, ...options });
    const { seconds: trainingSeconds, cpuSeconds: trainingCpuSeconds } = stopwatch;
    const results = { ...accuracies, evaluatedStep, trainingSeconds, trainingCpuSeconds, images };
    run.finish(results);
    return { ...results, folder };
  } catch (error) {
    if (error instanceof InterruptedError) {
      run.interrupt();
      const what = `${error.message}; all is saved, and "featmatch resume ${folder}" goes on from there`;
      throw new InterruptedError(what, { cause: error.cause });
    }
    const saved = listCheckpoints(folder).at(-1)?.step;
    const reason =
      error instanceof NotFiniteError
        ? divergence(error.message, config, { done: state.step, saved })
        : error;
    run.fail(reason);
    throw reason;
  }
}

/** What learns, with weights drawn from the seed or given. */
export function createLearning(experiment: Experiment, weights: InitialWeights | null): Learning {
  const { classes, channels } = experiment.data.train;
  return new Learning(experiment.config, {
    classes: classes.length,
    channels,
    labelDistribution: labelDistribution(experiment),
    unlabeledImages: experiment.split.unlabeled.length,
    labeledImages: () => labeledImages(experiment),
    world: experiment.world,
    initializeEncoder: (encoder) => weights?.loadInto(encoder),
  });
}

/** The run as {@link openRun} gives it to the first process; all go on from where that one is. */
function openSharedRun(
  experiment: Experiment,
  learning: Learning,
  options: Parameters<typeof openRun>[2],
): { run: Run; state: TrainingState } {
  const { world } = experiment;
  if (world.size === 1) return openRun(experiment, learning, options);
  const opened = world.rank === 0 ? openRun(experiment, learning, options) : null;
  shareLearning(world, learning);
  const lengths = { metricsLength: 0, eventsLength: 0 };
  const first = shareValue(world, { folder: opened?.run.folder ?? '', state: opened?.state.save(lengths) });
  return opened ?? { run: unwrittenRun(first.folder), state: new TrainingState(first.state) };
}

/** A new run folder, or that of `options.resume` with what was saved there brought back into `learning`. */
function openRun(
  experiment: Experiment,
  learning: Learning,
  {
    resume,
    weights,
    onWarning = (sentence) => process.emitWarning(sentence),
    ...options
  }: TrainOptions & { weights: InitialWeights | null },
): { run: Run; state: TrainingState } {
  const processes = experiment.world.size;
  const engine = engineInformation();
  let state = new TrainingState();
  const initialWeights = weights?.record;
  if (initialWeights !== undefined) onWarning(describeInitialWeights(initialWeights));
  if (resume === undefined) {
    const { config } = experiment;
    const split = recordSplit(experiment);
    return { run: createRun({ ...options, config, split, initialWeights, engine, processes }), state };
  }
  checkSameWeights(resume, initialWeights);
  checkSameExperiment(resume, experiment);
  warnOfChanges(resume, { ...engine, processes }, onWarning);
  const run = resumeRun(resume, {
    engine,
    processes,
    restore() {
      const checkpoint = newestCheckpoint(resume, onWarning);
      checkpoint?.restore(learning);
      state = new TrainingState(checkpoint?.state);
      return { step: 0, metricsLength: 0, eventsLength: 0, ...checkpoint?.state };
    },
  });
  return { run, state };
}

interface RunOptions extends Pick<TrainOptions, 'onStep' | 'signal' | 'profileSteps'> {
  readonly experiment: Experiment;
  readonly state: TrainingState;
  readonly show: Show;
}

/** Makes the steps that are left. */
async function runSteps(
  run: Run,
  learning: Learning,
  { experiment, state, show, onStep, signal, profileSteps = 0 }: RunOptions,
): Promise<void> {
  const { config, data, split, normalization, world } = experiment;
  const { steps, logEvery, saveEvery } = config;
  const places = placesOf(split.unlabeled, data.train.count);
  const layout = { ...learning.algorithm.views(config.algorithm), places };
  const normalize = (pixels: Uint8Array) => toImages(pixels, data.train, normalization);
  const isDue = (every: number) => state.step === steps || (every > 0 && state.step % every === 0);
  const diagnose = createDiagnosis(data.train.labels, split.unlabeled);
  const { means, measurements, stopwatch } = state;
  const profiler = createProfiler(run.folder, { from: state.step, to: steps, count: profileSteps });
  const loader = createTrainingLoader(experiment, state.step, profiler.onBatchMade);
  let metricsBefore: Record<string, number> | undefined;
  let isAgreed = false; // that training stops here
  const isToStop = () => (world.size === 1 ? signal?.aborted === true : isAgreed);

  try {
    while (state.step < steps) {
      profiler.beforeStep(state.step);
      const metrics = await stopwatch.time(async () => {
        const started = monotonicTime();
        const batch = await loader.next();
        recordSpan('wait for the loader', started);
        const result = tidy(() => {
          const tensors = profiled('batch to tensors', () => toBatch(batch, layout, normalize));
          return learning.step(tensors, state.step, signal?.aborted);
        });
        isAgreed = result.isToStop;
        const diagnosis = diagnose(result.pseudoLabels, batch.unlabeledIndices);
        show.step(batch, result.pseudoLabels);
        state.images += (batch.pixels.length / imageSize(data.train)) * world.size;
        batch.release();
        recordSpan(`step ${state.step + 1}`, started);
        return { ...result.metrics, ...diagnosis };
      });
      state.step++;
      if (!Number.isFinite(metrics.loss)) {
        const saved = listCheckpoints(run.folder).at(-1)?.step;
        const moment = { done: state.step, metrics, metricsBefore, saved };
        throw divergence('the loss is not a finite number', config, moment);
      }
      metricsBefore = metrics;
      means.add(metrics);
      onStep?.({ step: state.step, steps, images: state.images, metrics });
      if (isDue(logEvery)) {
        const learningRate = learningRateAt(state.step - 1, config);
        means.average(world);
        run.metrics.append({ step: state.step, ...means.take(), learningRate, seconds: stopwatch.seconds });
        show.log();
      }
      if (isEvaluated(experiment, state.step)) {
        const { step } = state;
        const measurement = await measure(learning, experiment, { step, onEvaluation: show.evaluation });
        run.metrics.append({ ...measurement });
        measurements.push(measurement);
      }
      await show.pictures();
      if (isDue(saveEvery) || isNewBest(config.evaluation, state) || isToStop()) {
        means.average(world);
        if (world.rank === 0) {
          const description = describe(experiment, state.step);
          profiled('checkpoint', () => saveRun(run, learning, { state, description }));
        }
      }
      if (isToStop()) {
        world.wait(); // or a launcher sees that one process ends, and ends the one that saves
        throw new InterruptedError(`interrupted after step ${state.step} of ${steps}`, {
          cause: signal?.reason ?? 'SIGTERM',
        });
      }
    }
  } finally {
    profiler.end();
    await loader.close();
  }
}

function describe({ config, data, split, normalization }: Experiment, step: number): ModelDescription {
  const { classes, height, width, channels } = data.train;
  const unlabeledImages = split.unlabeled.length;
  return { config, step, classes, height, width, channels, normalization, unlabeledImages };
}

/** Labels every unlabeled training image. */
async function predictUnlabeled(
  run: Run,
  learning: Learning,
  { experiment, signal, onLabel }: Pick<TrainOptions, 'signal' | 'onLabel'> & { experiment: Experiment },
): Promise<void> {
  const { data, split, normalization, world } = experiment;
  const total = split.unlabeled.length;
  const onImages = (done: number) => onLabel?.(done, total);
  const options = { normalization, indices: split.unlabeled, signal, world, onImages };
  const rows = await predictImages(learning, data.train, options);
  if (world.rank > 0) return;
  writePredictions(
    runPaths(run.folder).predictions,
    rows.map((row, i) => {
      const label = mostProbable(row);
      const index = split.unlabeled[i];
      return {
        image: data.train.names?.[index] ?? index,
        predicted: data.train.classes[label],
        confidence: row[label],
      };
    }),
  );
}
