/** The model of a run, shared by the commands that use one. */
import { configureEngine, loadRunModel } from '../train/index.js';
import { printWarning } from './format.js';

/**
 * Loads the model that a run's accuracy is of: the best where its protocol keeps the best, else the last.
 * @throws {InputError} where the folder is no run, has no checkpoint yet, or its checkpoints are broken
 */
export function openTrainedModel(folder: string): ReturnType<typeof loadRunModel> {
  const model = loadRunModel(folder, printWarning);
  configureEngine(model.description.config);
  return model;
}
