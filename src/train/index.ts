/** Training and evaluation. */
export { loadModel, type ModelDescription } from './checkpoint.js';
export { configureEngine } from './engine.js';
export { type Evaluation, evaluate, mostProbable, predictImages } from './evaluate.js';
export { type Normalization, toImages } from './pixels.js';
export { loadRunModel } from './run-checkpoints.js';
export { type Progress, type Started, type TrainingResult, type TrainOptions, train } from './train.js';
