/** The checkpoints of a run: which are kept, which one is gone on from, and which one its accuracy is of. */
import type { Config } from '../config/index.js';
import { InputError } from '../errors.js';
import { checkpointPath, keepCheckpoints, listCheckpoints, type Run, readRun } from '../runs/index.js';
import {
  type LoadedCheckpoint,
  loadModel,
  type Model,
  type ModelDescription,
  modelOf,
  readCheckpoint,
  saveCheckpoint,
} from './checkpoint.js';
import type { Learning } from './learning.js';
import { bestOnValidation, keepsBest, type Measurement } from './protocol.js';
import type { TrainingState } from './state.js';

/** Is told, in a sentence, what a user should know. */
export type Warn = (sentence: string) => void;

/**
 * Saves a checkpoint of a run that is being written, together with the metrics up to it. Only then are older ones removed.
 * @throws NotFiniteError, InputError as saveCheckpoint
 */
export function saveRun(
  run: Run,
  learning: Learning,
  { state, description }: { state: TrainingState; description: ModelDescription },
): void {
  const metricsLength = run.metrics.save(); // first: no checkpoint may be ahead of its metrics
  const saved = state.save({ metricsLength, eventsLength: run.events?.save() ?? 0 });
  saveCheckpoint(checkpointPath(run.folder, state.step), learning, { description, state: saved });
  const steps = listCheckpoints(run.folder).map(({ step }) => step);
  keepCheckpoints(run.folder, stepsToKeep(steps, description.config, state.measurements));
  run.saved(state.step);
}

/**
 * Which of the saved steps (in order) stay: the last ones, and where the best weights are reported, of each of these the
 * best up to it, so that training can go on from any.
 */
export function stepsToKeep(
  saved: readonly number[],
  { keepCheckpoints: count, evaluation }: Pick<Config, 'keepCheckpoints' | 'evaluation'>,
  measurements: readonly Measurement[],
): Set<number> {
  const last = count === null ? saved : saved.slice(-count);
  return new Set(
    keepsBest(evaluation) ? [...last, ...last.map((step) => bestStep(measurements, step))] : last,
  );
}

/** The training steps of the best weights among those after up to `step` steps; `step` where none was evaluated. */
function bestStep(measurements: readonly Measurement[], step: number): number {
  const until = measurements.filter((measurement) => measurement.step <= step);
  return until.length === 0 ? step : bestOnValidation(until).step;
}

/**
 * The newest checkpoint that is not damaged; undefined where there is none at all.
 * @param warn is told of each damaged one that is passed over
 * @throws InputError where all of them are damaged
 */
export function newestCheckpoint(folder: string, warn: Warn): LoadedCheckpoint | undefined {
  const checkpoints = listCheckpoints(folder).reverse();
  for (const { path } of checkpoints) {
    try {
      return readCheckpoint(path);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      warn(`${error.message}; the one before it takes its place`);
    }
  }
  if (checkpoints.length === 0) return undefined;
  throw new InputError(
    `all checkpoints of ${folder} are damaged: delete its folder checkpoints, and "featmatch resume" begins with the first step`,
  );
}

/**
 * The model that a run's accuracy is of: the best where its protocol keeps the best, else the last.
 * @throws InputError where the folder is no run, or it has no checkpoint yet or damaged ones alone
 */
export function loadRunModel(folder: string, warn: Warn): Model {
  const { status } = readRun(folder);
  const newest = newestCheckpoint(folder, warn);
  if (newest === undefined) {
    throw new InputError(
      `the run ${folder} (${status}) has no checkpoint; train it further, or choose another run`,
    );
  }
  const { config, state } = newest;
  const { step } = state;
  const best = keepsBest(config.evaluation) ? bestStep(state.measurements, step) : step;
  return best === step ? modelOf(newest) : loadModel(checkpointPath(folder, best));
}
