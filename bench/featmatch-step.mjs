// Steps of FeatMatch on random images, as the benchmarks measure them: everything that a step of training does but its
// loading of images.
import { resolveConfig } from '../dist/config/index.js';
import { Generator, normal, setThreads, tensor, tidy } from '../dist/tensor/index.js';
import { configureEngine } from '../dist/train/engine.js';
import { Learning } from '../dist/train/learning.js';

/** The published settings of CIFAR-10 with 250 labels: WRN-28-2 on 3×32×32, K = 8, p_k = 20. */
export const KINDS = {
  reference: { preset: 'reference-cifar10-250', algorithm: { pretrainSteps: 0 } },
  'reference-weak': {
    preset: 'reference-cifar10-250',
    algorithm: { pretrainSteps: 0, pseudoLabels: 'weak-views' },
  },
  paper: { preset: 'paper-cifar10-250', algorithm: { warmupSteps: 0 } },
};

/**
 * @param kind of {@link KINDS}; the first step, number 0, makes the prototypes
 * @param options settings of the batch, the algorithm and the model, and the size of the data
 * @returns what makes a step with a number, and the views that it learns from
 */
export function createStep(
  kind,
  {
    threads,
    batch = { labeled: 8, unlabeled: 16 },
    algorithm = {},
    model = {},
    classes = 10,
    labeledImages = 250,
    unlabeledImages = 1000,
  },
) {
  const { preset, algorithm: ofKind } = KINDS[kind];
  const config = resolveConfig({
    preset,
    values: { algorithm: { ...ofKind, ...algorithm }, batch, model, threads },
  });
  configureEngine(config);
  setThreads(threads);
  const generator = new Generator(0);
  const images = (count) => normal([count, 3, 32, 32], 0, 1, { generator }).contiguous('channels-last');
  const labelsOf = (count) => Int32Array.from({ length: count }, (_, i) => i % classes);
  const learning = new Learning(config, {
    classes,
    channels: 3,
    labelDistribution: Array(classes).fill(1 / classes),
    unlabeledImages,
    labeledImages: () => [{ images: images(labeledImages), labels: labelsOf(labeledImages) }],
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
  const rows = (count, { weak, strong }) => count * (weak + strong);
  const range = (count) => Int32Array.from({ length: count }, (_, i) => i);
  return {
    learning,
    views: rows(batch.labeled, counts.labeled) + rows(batch.unlabeled, counts.unlabeled),
    step: (number) =>
      tidy(() => {
        const made = {
          labels: tensor(labelsOf(batch.labeled)).to('int64'),
          labeled: viewsOf(batch.labeled, counts.labeled),
          unlabeled: viewsOf(batch.unlabeled, counts.unlabeled),
          unlabeledIndices: tensor(range(batch.unlabeled)).to('int64'),
        };
        return learning.step(made, number).metrics.loss;
      }),
  };
}

/** Seconds of each step after some that warm up. */
export function timeSteps(step, { warmUp, steps }) {
  const seconds = [];
  for (let number = 0; number < warmUp + steps; number++) {
    const started = performance.now();
    step(number);
    if (number >= warmUp) seconds.push((performance.now() - started) / 1000);
  }
  return seconds;
}

/** The most memory of this process that was resident so far. */
export const peakMegabytes = () => process.resourceUsage().maxRSS / 1000;
