/** The model of a run, shared by the commands that use one. */
import { existsSync } from 'node:fs';
import { InputError } from '../errors.js';
import { runPaths } from '../runs/run-folder.js';
import { listCheckpoints, readRun } from '../runs/stored-run.js';
import { configureEngine, loadModel } from '../train/index.js';

/**
 * Loads the checkpoint that a run's accuracy is of: the best where its protocol keeps the best, else the last.
 * @throws {InputError} where the folder is no run, has no checkpoint yet, or its checkpoint is broken
 */
export function openTrainedModel(folder: string): ReturnType<typeof loadModel> {
  const { status } = readRun(folder);
  const { bestCheckpoint } = runPaths(folder);
  const path = existsSync(bestCheckpoint) ? bestCheckpoint : listCheckpoints(folder).at(-1)?.path;
  if (path === undefined) {
    throw new InputError(
      `the run ${folder} (${status}) has no checkpoint; train it further, or choose another run`,
    );
  }
  const model = loadModel(path);
  configureEngine(model.description.config);
  return model;
}
