/**
 * Which images, and which views of them, make up the batch of a step: a pure function of the options and the step.
 * Every loader thread computes it for itself, so it cannot depend on how many there are.
 */

import type { Pixels } from '../image/pixels.js';
import { randomStream, shuffledRange } from '../image/random.js';
import { createViewMaker, type MakeView, type ViewKind, type ViewOptions } from '../image/views.js';
import { type ImageSet, imageSize, pixelsOf } from './dataset.js';

/** Views made of each image, in this order: clean, weak, strong. */
export interface ViewCounts {
  readonly clean?: number;
  readonly weak: number;
  readonly strong: number;
}

/** Everything that determines the batches. Labels of unlabelled images are not part of it. */
export interface BatchOptions {
  readonly dataset: ImageSet;
  /** Indices of the labelled images in `dataset`. */
  readonly labeled: Int32Array;
  /** Class of each image of `labeled`, in the same order. */
  readonly labels: Int32Array;
  /** Indices of the unlabelled images in `dataset`. */
  readonly unlabeled: Int32Array;
  /** Labelled images a batch (B). */
  readonly labeledBatch: number;
  /** Unlabelled images a batch (μB); 0 for supervised training. */
  readonly unlabeledBatch: number;
  readonly labeledViews: ViewCounts;
  readonly unlabeledViews: ViewCounts;
  readonly views: ViewOptions;
  readonly seed: number;
}

/** The arrays that one batch fills. */
export interface BatchArrays {
  /**
   * All views, (views, height, width, channel): of the labelled images first, view by view (view 0 of all B images,
   * then view 1, …), then of the unlabelled ones likewise.
   */
  readonly pixels: Uint8Array;
  /** Class of each labelled image, (B). */
  readonly labels: Int32Array;
  /** Index in the data set of each labelled image, (B). */
  readonly labeledIndices: Int32Array;
  /** Index in the data set of each unlabelled image, (μB). */
  readonly unlabeledIndices: Int32Array;
}

// What distinguishes the streams of random numbers. Part of what a seed means.
const LABELED = 1;
const UNLABELED = 2;
const ORDER = 1;
const VIEW = 2;

/** The kind of each view of an image, in their order. */
export function viewKinds({ clean = 0, weak, strong }: ViewCounts): ViewKind[] {
  return [
    ...Array<ViewKind>(clean).fill('clean'),
    ...Array<ViewKind>(weak).fill('weak'),
    ...Array<ViewKind>(strong).fill('strong'),
  ];
}

/** Number of views in a batch. */
export function viewsPerBatch(options: BatchOptions): number {
  const { labeledBatch, unlabeledBatch, labeledViews, unlabeledViews } = options;
  return labeledBatch * viewKinds(labeledViews).length + unlabeledBatch * viewKinds(unlabeledViews).length;
}

/**
 * An endless sequence over `count` items: one random permutation after another, each from (seed, stream, epoch).
 * Returns the item at a position, and the epoch that position is in.
 */
function endlessPermutations(count: number, seed: number, stream: number) {
  const kept: { epoch: number; order: Int32Array }[] = []; // a batch spans two epochs at most times
  return (position: number): { item: number; epoch: number } => {
    const epoch = Math.floor(position / count);
    let permutation = kept.find((candidate) => candidate.epoch === epoch);
    if (permutation === undefined) {
      permutation = { epoch, order: shuffledRange(count, randomStream(seed, stream, ORDER, epoch)) };
      kept.unshift(permutation);
      kept.length = Math.min(kept.length, 2);
    }
    return { item: permutation.order[position % count], epoch };
  };
}

/** Writes the batch of a step. */
export type WriteBatch = (step: number, arrays: BatchArrays) => void;

/** A writer of batches; it keeps working space, so create one a thread. */
export function createBatchWriter(options: BatchOptions): WriteBatch {
  const { labeled, unlabeled, labeledBatch, unlabeledBatch } = options;
  const makeView = createViewMaker(options.views);
  const labeledPart: Part = {
    stream: LABELED,
    images: labeled,
    batch: labeledBatch,
    views: options.labeledViews,
  };
  const unlabeledPart: Part = {
    stream: UNLABELED,
    images: unlabeled,
    batch: unlabeledBatch,
    views: options.unlabeledViews,
  };
  const writeLabeled = createPartWriter(labeledPart, options, makeView);
  const writeUnlabeled = createPartWriter(unlabeledPart, options, makeView);
  const labelOf = new Map(Array.from(labeled, (image, i) => [image, options.labels[i]]));
  const unlabeledStart = labeledBatch * viewKinds(options.labeledViews).length * imageSize(options.dataset);

  return (step, { pixels, labels, labeledIndices, unlabeledIndices }) => {
    writeLabeled(step, pixels, labeledIndices);
    writeUnlabeled(step, pixels.subarray(unlabeledStart), unlabeledIndices);
    labeledIndices.forEach((image, place) => {
      labels[place] = labelOf.get(image) as number;
    });
  };
}

/** The labelled or the unlabelled part of every batch. */
interface Part {
  readonly stream: number;
  readonly images: Int32Array;
  readonly batch: number;
  readonly views: ViewCounts;
}

/** A writer of one part's views, (views × batch, height, width, channel), and of its image indices, (batch). */
function createPartWriter({ stream, images, batch, views }: Part, options: BatchOptions, makeView: MakeView) {
  const { dataset, seed } = options;
  const { count, height, width, channels } = dataset;
  const size = imageSize(dataset);
  const kinds = viewKinds(views);
  const sequence = endlessPermutations(images.length, seed, stream);

  return (step: number, pixels: Uint8Array, indices: Int32Array): void => {
    for (let place = 0; place < batch; place++) {
      const { item, epoch } = sequence(step * batch + place);
      const image = images[item];
      if (image < 0 || image >= count) {
        throw new RangeError(`image ${image} does not exist: the data set has ${count} images`);
      }
      indices[place] = image;
      const data = pixelsOf(dataset, image);
      const source: Pixels = { data, height, width, channels };
      kinds.forEach((kind, view) => {
        const random = randomStream(seed, stream, VIEW, epoch, image, view);
        const start = (view * batch + place) * size;
        makeView(kind, source, random, pixels.subarray(start, start + size));
      });
    }
  };
}
