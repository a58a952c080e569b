/** A data set of 12×12 grayscale images that a tiny network learns in a few steps, and settings to train on it. */
import { type PartialConfig, resolveConfig } from '../../src/config/index.js';
import { type ImageDataset, sharedBytes } from '../../src/data/dataset.js';
import { randomStream } from '../../src/image/random.js';

const SIDE = 12;
const CLASSES = ['left', 'middle', 'right'];

/** A data set whose pixels a test may look at and change. */
interface ImagesInMemory extends ImageDataset {
  readonly images: Uint8Array;
}

/** Images whose class says which third is bright, the classes in turn; the noise is another for each seed. */
export function stripes(count: number, seed: number): ImagesInMemory {
  const images = sharedBytes(count * SIDE * SIDE);
  const labels = new Int32Array(count);
  for (let image = 0; image < count; image++) {
    const random = randomStream(seed, image);
    labels[image] = image % CLASSES.length;
    for (let pixel = 0; pixel < SIDE * SIDE; pixel++) {
      const isBright = Math.floor((pixel % SIDE) / (SIDE / CLASSES.length)) === labels[image];
      images[image * SIDE * SIDE + pixel] = random.integer(120) + (isBright ? 130 : 0);
    }
  }
  return { name: 'stripes', classes: CLASSES, labels, count, height: SIDE, width: SIDE, channels: 1, images };
}

export const stripesPair = () => ({
  train: stripes(72, 1),
  validation: null,
  test: stripes(30, 2),
});

/** Settings of a run of a few seconds; nothing that matters here is left to the defaults. */
const TOY_SETTINGS = {
  seed: 1,
  algorithm: {
    name: 'featmatch',
    strongViews: 1,
    labeledWeakViews: 0,
    labeledStrongViews: 1,
    pseudoLabels: 'average',
    threshold: 0.5,
    heads: 4,
    attentionDropout: 0.1,
    prototypesPerClass: 4,
    warmupSteps: 3,
    extractEvery: 4,
  },
  data: { labels: 6, validation: 0, workers: 0 },
  views: { flip: false, cropPadding: 1, operations: 1 },
  model: { name: 'wide-resnet', depth: 10, width: 1, strides: [2, 2, 2], batchNormMomentum: 0.1 },
  batch: { labeled: 6, unlabeled: 12 },
  optimizer: { learningRate: 0.1, schedule: 'cosine', warmupSteps: 0 },
  ema: { decay: 0.9 },
  steps: 12,
  evaluation: { protocol: 'last', every: 6 },
  saveEvery: 6,
  logEvery: 4,
  threads: 1,
} satisfies PartialConfig;

/** The configuration of `TOY_SETTINGS` with changes such as `data.labels=9`. */
export const toyConfig = (...sets: string[]) => resolveConfig({ values: TOY_SETTINGS, sets });

/** The same with the supervised algorithm. */
export function supervisedConfig(...sets: string[]) {
  const { algorithm: _, ...others } = TOY_SETTINGS;
  return resolveConfig({
    values: { ...others, algorithm: { name: 'supervised', labeledStrongViews: 1 }, ema: { decay: 0 } },
    sets,
  });
}
