/** Training and evaluation. */
export { loadModel, type Model, type ModelDescription } from './checkpoint.js';
export { detectLaunch, type Launch } from './distributed/launcher.js';
export { type JoinedWorld, joinWorld, type World } from './distributed/world.js';
export { configureEngine } from './engine.js';
export { type Evaluation, evaluate, featuresOf, mostProbable, predictImages, tally } from './evaluate.js';
export { prepareExperiment } from './prepare.js';
export { reportedImages } from './protocol.js';
export { checkSameExperiment } from './resume.js';
export { loadRunModel } from './run-checkpoints.js';
export { type Progress, type TrainingResult, type TrainOptions, train } from './train.js';
