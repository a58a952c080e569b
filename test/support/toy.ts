/** Networks and batches so small that a training step costs nothing. */
import type { Encoder, Stage } from '../../src/models/encoder.js';
import { BatchNorm2d, Linear, Module } from '../../src/nn/index.js';
import type { LearnerContext } from '../../src/ssl/algorithm.js';
import type { Batch, Views } from '../../src/ssl/index.js';
import { concatenate, Generator, normal, type Tensor, tensor, tidy } from '../../src/tensor/index.js';

const SIDE = 3;

/** relu(W h + b) with h = leakyRelu(x), and batch normalization of the pixels before it if wanted. */
export class ToyEncoder extends Module implements Encoder {
  readonly featureDimension: number;
  readonly layer: Linear;
  readonly norm: BatchNorm2d | null;

  constructor(
    options: { featureDimension?: number; batchNorm?: boolean; channels?: number; seed?: number } = {},
  ) {
    super();
    const { featureDimension = 8, batchNorm = false, channels = 1, seed = 1 } = options;
    this.featureDimension = featureDimension;
    this.norm = batchNorm ? new BatchNorm2d(channels) : null;
    this.layer = new Linear(channels * SIDE * SIDE, featureDimension, { generator: new Generator(seed) });
  }

  forward(images: Tensor): Tensor {
    return tidy(() => this.stages().reduce((input, stage) => stage(input), images));
  }

  stages(): Stage[] {
    return [
      (images) => (this.norm === null ? images : this.norm.forward(images)).leakyRelu(0.3),
      (hidden) => this.layer.forward(hidden.flatten(1)).relu(),
    ];
  }
}

/** Takes rows of numbers as the features that they are. */
export class IdentityEncoder extends Module implements Encoder {
  constructor(readonly featureDimension: number) {
    super();
  }

  forward(features: Tensor): Tensor {
    return features;
  }

  stages(): Stage[] {
    return [(features) => features];
  }
}

/** Normal noise of any number of images; each seed is another. */
export function toyImages(count: number, seed: number, channels = 1): Tensor {
  return normal([count, channels, SIDE, SIDE], 0, 1, { generator: new Generator(seed) });
}

/** What a learner is given, with a network of three classes and nothing else of interest. */
export function toyContext<Network extends Module>(
  network: Network,
  changes: Partial<LearnerContext<Network>> = {},
): LearnerContext<Network> {
  const { classes = 3 } = changes;
  return {
    network,
    average: null,
    createTeacher: () => {
      throw new Error('this context makes no teachers');
    },
    classes,
    labelDistribution: Array(classes).fill(1 / classes),
    exchange: { gather: (rows) => rows, own: (rows) => rows },
    unlabeledBatch: 4,
    unlabeledImages: 100,
    steps: 10,
    generator: new Generator(1),
    labeledImages: () => [],
    ...changes,
  };
}

/** The views of `count` images, in the order of a batch. */
export function viewsOf(count: number, weak: Tensor, strong: Tensor): Views {
  return { count, weak, strong, images: concatenate([weak, strong]) };
}

export interface ToyBatchOptions {
  readonly labels?: readonly number[];
  readonly unlabeled?: number;
  readonly strongViews?: number;
  readonly weakViews?: number;
  readonly labeledWeakViews?: number;
  readonly labeledStrongViews?: number;
  readonly channels?: number;
}

/** A batch of noise: one strong view of each labeled image, one weak and one strong of each unlabeled one, or others. */
export function toyBatch(seed: number, options: ToyBatchOptions = {}): Batch {
  const { labels = [0, 1, 2], unlabeled = 4, strongViews = 1, weakViews = 1, channels = 1 } = options;
  const { labeledWeakViews = 0, labeledStrongViews = 1 } = options;
  const images = (views: number, part: number) => toyImages(views, 10 * seed + part, channels);
  const labeledViews = (views: number, part: number) => images(labels.length * views, part);
  return {
    labels: tensor(Int32Array.from(labels)).to('int64'),
    labeled: viewsOf(labels.length, labeledViews(labeledWeakViews, 0), labeledViews(labeledStrongViews, 1)),
    unlabeled: viewsOf(unlabeled, images(unlabeled * weakViews, 2), images(unlabeled * strongViews, 3)),
    unlabeledIndices: tensor(Int32Array.from({ length: unlabeled }, (_, i) => i)).to('int64'),
  };
}
