/** The library: configure, load data, train, and use what was trained. */
export { type Config, type PartialConfig, resolveConfig } from './config/index.js';
export type { DatasetPair, ImageDataset } from './data/dataset.js';
export { loadDataset } from './data/load.js';
export { InputError } from './errors.js';
export {
  type Evaluation,
  evaluate,
  loadModel,
  type ModelDescription,
  type Progress,
  predictImages,
  type TrainingResult,
  type TrainOptions,
  train,
} from './train/index.js';
