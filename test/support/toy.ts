/** Networks and batches so small that a training step costs nothing. */
import type { Encoder } from '../../src/models/encoder.js';
import { BatchNorm2d, Linear, Module } from '../../src/nn/index.js';
import type { Batch, Views } from '../../src/ssl/index.js';
import { concatenate, Generator, normal, type Tensor, tensor, tidy } from '../../src/tensor/index.js';

const TOY_SHAPE = [1, 2, 3] as const; // channels, height, width
const PIXELS = TOY_SHAPE[0] * TOY_SHAPE[1] * TOY_SHAPE[2];

/** relu(W x + b), with batch normalization of the pixels before it if wanted. */
export class ToyEncoder extends Module implements Encoder {
  readonly featureDimension: number;
  readonly layer: Linear;
  readonly norm: BatchNorm2d | null;

  constructor(options: { featureDimension?: number; batchNorm?: boolean; seed?: number } = {}) {
    super();
    const { featureDimension = 8, batchNorm = false, seed = 1 } = options;
    this.featureDimension = featureDimension;
    this.norm = batchNorm ? new BatchNorm2d(TOY_SHAPE[0]) : null;
    this.layer = new Linear(PIXELS, featureDimension, { generator: new Generator(seed) });
  }

  forward(images: Tensor): Tensor {
    return tidy(() => {
      const normalized = this.norm === null ? images : this.norm.forward(images);
      return this.layer.forward(normalized.reshape(-1, PIXELS)).relu();
    });
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
}

/** Normal noise of any number of images; each seed is another. */
export function toyImages(count: number, seed: number): Tensor {
  return normal([count, ...TOY_SHAPE], 0, 1, { generator: new Generator(seed) });
}

/** The views of `count` images, in the order of a batch. */
export function viewsOf(count: number, weak: Tensor, strong: Tensor): Views {
  return { count, weak, strong, images: concatenate([weak, strong]) };
}

export interface ToyBatchOptions {
  readonly labels?: readonly number[];
  readonly unlabeled?: number;
  readonly strongViews?: number;
  readonly labeledWeakViews?: number;
  readonly labeledStrongViews?: number;
}

/** A batch of noise: one strong view of each labeled image, one weak and `strongViews` strong of each unlabeled one. */
export function toyBatch(seed: number, options: ToyBatchOptions = {}): Batch {
  const { labels = [0, 1, 2], unlabeled = 4, strongViews = 1 } = options;
  const { labeledWeakViews = 0, labeledStrongViews = 1 } = options;
  const images = (views: number, part: number) => toyImages(views, 10 * seed + part);
  const labeledViews = (views: number, part: number) => images(labels.length * views, part);
  return {
    labels: tensor(Int32Array.from(labels)).to('int64'),
    labeled: viewsOf(labels.length, labeledViews(labeledWeakViews, 0), labeledViews(labeledStrongViews, 1)),
    unlabeled: viewsOf(unlabeled, images(unlabeled, 2), images(unlabeled * strongViews, 3)),
  };
}
