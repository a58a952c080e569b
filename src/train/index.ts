/** Training and evaluation. */
export { loadCheckpoint, loadModel, type ModelDescription, saveCheckpoint } from './checkpoint.js';
export { configureEngine } from './engine.js';
export { type Evaluation, evaluate, mostProbable, predictImages } from './evaluate.js';
export { type Normalization, toImages } from './pixels.js';
export { type Progress, type TrainingResult, type TrainOptions, train } from './train.js';
