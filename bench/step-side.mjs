// Our sides of step.mjs. Usage: node step-side.mjs reference|reference-weak|paper <threads>
import { resolveConfig } from '../dist/config/index.js';
import { Generator, normal, setThreads, tensor, tidy } from '../dist/tensor/index.js';
import { configureEngine } from '../dist/train/engine.js';
import { Learning } from '../dist/train/learning.js';
import { spread } from './sides.mjs';

const [LABELED, UNLABELED, STRONG, WARM_UP, STEPS, CLASSES, LABELED_IMAGES] = [8, 16, 8, 2, 5, 10, 250];
const [kind, threads] = process.argv.slice(2);
// prototypes from the first step on, which is not measured
const ALGORITHMS = {
  reference: { name: 'featmatch-reference', strongViews: STRONG, pretrainSteps: 0 },
  'reference-weak': {
    name: 'featmatch-reference',
    strongViews: STRONG,
    pretrainSteps: 0,
    pseudoLabels: 'weak-views',
  },
  paper: { name: 'featmatch', strongViews: STRONG, warmupSteps: 0 },
};
const config = resolveConfig({
  preset: kind === 'paper' ? 'paper-cifar10-250' : 'reference-cifar10-250',
  values: { algorithm: ALGORITHMS[kind], batch: { labeled: LABELED, unlabeled: UNLABELED } },
});
configureEngine(config);
setThreads(Number(threads));

const generator = new Generator(0);
const images = (count) => normal([count, 3, 32, 32], 0, 1, { generator }).contiguous('channels-last');
const labelsOf = (count) => Int32Array.from({ length: count }, (_, i) => i % CLASSES);
const learning = new Learning(config, {
  classes: CLASSES,
  channels: 3,
  labelDistribution: Array(CLASSES).fill(1 / CLASSES),
  unlabeledImages: 1000,
  labeledImages: () => [{ images: images(LABELED_IMAGES), labels: labelsOf(LABELED_IMAGES) }],
});
const counts = learning.algorithm.views(config.algorithm);
const viewsOf = (count, { weak, strong }) => {
  const all = images(count * (weak + strong));
  return {
    count,
    images: all,
    weak: all.narrow(0, 0, count * weak),
    strong: all.narrow(0, count * weak, count * strong),
  };
};
const makeBatch = () => ({
  labels: tensor(labelsOf(LABELED)).to('int64'),
  labeled: viewsOf(LABELED, counts.labeled),
  unlabeled: viewsOf(UNLABELED, counts.unlabeled),
  unlabeledIndices: tensor(Int32Array.from({ length: UNLABELED }, (_, i) => i)).to('int64'),
});
const viewCount =
  LABELED * (counts.labeled.weak + counts.labeled.strong) +
  UNLABELED * (counts.unlabeled.weak + counts.unlabeled.strong);

const seconds = [];
for (let step = 0; step < WARM_UP + STEPS; step++) {
  const started = performance.now();
  tidy(() => learning.step(makeBatch(), step).metrics.loss);
  if (step >= WARM_UP) seconds.push((performance.now() - started) / 1000);
}
const peakMegabytes = process.resourceUsage().maxRSS / 1000;
console.log(JSON.stringify({ imagesPerSecond: viewCount / spread(seconds).median, peakMegabytes }));
