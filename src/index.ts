/** The library: configure, load data, train, and use what was trained. */
export { type Config, type PartialConfig, resolveConfig } from './config/index.js';
export type { DatasetParts, ImageDataset } from './data/dataset.js';
export { loadDataset } from './data/load.js';
export { InputError } from './errors.js';
export {
  detectLaunch,
  type Evaluation,
  evaluate,
  type JoinedWorld,
  joinWorld,
  type Launch,
  loadModel,
  type ModelDescription,
  type Progress,
  predictImages,
  type TrainingResult,
  type TrainOptions,
  train,
  type World,
} from './train/index.js';
