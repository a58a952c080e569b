// The side of augf.mjs. Usage: node augf-side.mjs <threads>
import { Generator, keep, normal, ones, tidy } from '../dist/tensor/index.js';
import { createStep, timeSteps } from './featmatch-step.mjs';
import { spread } from './sides.mjs';

// 64 labeled and 128 unlabeled images, a view each: 192 through the network
const { learning, step } = createStep('paper', {
  threads: Number(process.argv[2]),
  batch: { labeled: 64, unlabeled: 64 },
  algorithm: { strongViews: 1, pseudoLabels: 'joint' },
});
const median = (run, steps) => 1000 * spread(timeSteps(run, { warmUp: 2, steps })).median;
const stepMilliseconds = median(step, 7);
const { network } = learning;
const { features: prototypes } = learning.prototypes();
const [rows, featureDimension] = [192, network.encoder.featureDimension];
const features = keep(normal([rows, featureDimension], 0, 1, { generator: new Generator(0) }));
features.requiresGrad = true;
const weights = keep(ones([rows, featureDimension]));
const augmentation = () => tidy(() => network.augment(features, prototypes).backward(weights));
const augfMilliseconds = median(augmentation, 30);
console.log(
  JSON.stringify({
    stepMilliseconds,
    augfMilliseconds,
    augfPercent: (100 * augfMilliseconds) / stepMilliseconds,
  }),
);
