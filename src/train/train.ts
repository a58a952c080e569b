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
import { engineInformation, tidy } from '../tensor/index.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { configureEngine } from './engine.js';
import { mostProbable, predictImages } from './evaluate.js';
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
import {
  type Accuracies,
  bestOnValidation,
  conclude,
  isEvaluated,
  keepsBest,
  type Measurement,
  measure,
} from './protocol.js';
import { learningRateAt } from './schedule.js';
import { Stopwatch } from './stopwatch.js';

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
 * Trains as the configuration says, in a new run folder.
 * @throws InputError where the data do not fit the configuration, the folder exists, or training diverges
 */
export async function train(
  config: Config,
  data: DatasetPair,
  options: TrainOptions = {},
): Promise<TrainingResult> {
  configureEngine(config);
  const experiment = prepareExperiment(config, data);
  const learning = createLearning(experiment);
  const run = createRun({ ...options, config, split: recordSplit(experiment), engine: engineInformation() });
  options.onStart?.(run);
  try {
    const { measurements, ...effort } = await runSteps(run, learning, { experiment, ...options });
    if (keepsBest(config.evaluation)) loadCheckpoint(runPaths(run.folder).bestCheckpoint, learning);
    const { step: evaluatedStep, ...accuracies } = conclude(learning, experiment, measurements);
    if (config.predictUnlabeled) predictUnlabeled(run, experiment, learning);
    const results = { ...accuracies, evaluatedStep, ...effort };
    run.finish(results);
    return { ...results, folder: run.folder };
  } catch (error) {
    run.fail(error);
    throw error;
  }
}

function createLearning(experiment: Experiment): Learning {
  const { classes, channels } = experiment.data.train;
  return new Learning(experiment.config, {
    classes: classes.length,
    channels,
    labelDistribution: labelDistribution(experiment),
    unlabeledImages: experiment.split.unlabeled.length,
    labeledImages: () => labeledImages(experiment),
  });
}

async function runSteps(run: Run, learning: Learning, { experiment, onStep }: RunOptions) {
  const { config, data, normalization } = experiment;
  const { classes, height, width, channels } = data.train;
  const unlabeledImages = experiment.split.unlabeled.length;
  const places = placesOf(experiment.split.unlabeled, data.train.count);
  const layout = { ...learning.algorithm.views(config.algorithm), places };
  const normalize = (pixels: Uint8Array) => toImages(pixels, data.train, normalization);
  const isDue = (done: number, every: number) => done === config.steps || (every > 0 && done % every === 0);
  const model = { config, classes, height, width, channels, normalization, unlabeledImages };
  const describe = (step: number) => ({ ...model, step });
  const loader = createTrainingLoader(experiment, 0);
  const means = new RunningMeans();
  const stopwatch = new Stopwatch();
  const measurements: Measurement[] = [];
  let images = 0;

  try {
    for (let step = 0; step < config.steps; step++) {
      const metrics = await stopwatch.time(async () => {
        const batch = await loader.next();
        const result = tidy(() => learning.step(toBatch(batch, layout, normalize), step));
        images += batch.pixels.length / imageSize(data.train);
        batch.release();
        return result;
      });
      if (!Number.isFinite(metrics.loss)) throw diverged(config, step, metrics);

      const done = step + 1;
      means.add(metrics);
      onStep?.({ step: done, steps: config.steps, images, metrics });
      if (isDue(done, config.logEvery)) {
        const learningRate = learningRateAt(step, config);
        run.metrics.append({ step: done, ...means.take(), learningRate, seconds: stopwatch.seconds });
      }
      if (isEvaluated(experiment, done)) {
        const measurement = measure(learning, experiment, done);
        run.metrics.append({ ...measurement });
        measurements.push(measurement);
        if (keepsBest(config.evaluation) && bestOnValidation(measurements) === measurement) {
          saveCheckpoint(runPaths(run.folder).bestCheckpoint, learning, describe(done));
        }
      }
      if (isDue(done, config.saveEvery)) {
        saveCheckpoint(checkpointPath(run.folder, done), learning, describe(done));
      }
    }
  } finally {
    await loader.close();
  }
  const { seconds: trainingSeconds, cpuSeconds: trainingCpuSeconds } = stopwatch;
  return { measurements, trainingSeconds, trainingCpuSeconds, images };
}

/** Labels every unlabeled training image. */
function predictUnlabeled(run: Run, { data, split, normalization }: Experiment, learning: Learning): void {
  const rows = predictImages(learning, data.train, { normalization, indices: split.unlabeled });
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
