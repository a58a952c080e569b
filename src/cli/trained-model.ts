/** The model of a run, shared by the commands that use one. */
import { InputError } from '../errors.js';
import { listCheckpoints, readRun } from '../runs/stored-run.js';
import { setThreads } from '../tensor/index.js';
import { loadModel } from '../train/index.js';

/**
 * Loads the last checkpoint of a run.
 * @throws {InputError} where the folder is no run, has no checkpoint yet, or its checkpoint is broken
 */
export function openTrainedModel(folder: string): ReturnType<typeof loadModel> {
  const { status } = readRun(folder);
  const checkpoint = listCheckpoints(folder).at(-1);
  if (checkpoint === undefined) {
    throw new InputError(
      `the run ${folder} (${status}) has no checkpoint; train it further, or choose another run`,
    );
  }
  const model = loadModel(checkpoint.path);
  setThreads(model.description.config.threads ?? undefined);
  return model;
}
