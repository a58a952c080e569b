/** Training and evaluation. */
export { loadModel, type Model, type ModelDescription } from './checkpoint.js';
export { configureEngine } from './engine.js';
export { type Evaluation, evaluate, featuresOf, mostProbable, predictImages, tally } from './evaluate.js';
export { prepareExperiment } from './prepare.js';
export { reportedImages } from './protocol.js';
export { checkSameExperiment } from './resume.js';
export { loadRunModel } from './run-checkpoints.js';
export { type Progress, type TrainingResult, type TrainOptions, train } from './train.js';
