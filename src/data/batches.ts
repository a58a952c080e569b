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

/** Unlabelled images of source domains, drawn besides those of the target. */
export interface SourceImages {
  /** Indices in the data set. */
  readonly images: Int32Array;
  /** Share of the unlabelled images of a batch that they make up, r_u; 0…1. */
  readonly ratio: number;
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
  /** Other domains' images among the unlabelled ones, for a data set of several domains. */
  readonly source?: SourceImages;
  /** Labelled images a batch (B). */
  readonly labeledBatch: number;
  /** Unlabelled images a batch (μB); 0 for supervised training. */
  readonly unlabeledBatch: number;
  readonly labeledViews: ViewCounts;
  readonly unlabeledViews: ViewCounts;
  readonly views: ViewOptions;
  readonly seed: number;
  /** The part of every batch that is made here, where several processes share it. Default: all of it. */
  readonly share?: Share;
}

/** The `index`th, from 0, of `count` equal parts of every batch: consecutive labelled and consecutive unlabelled images. */
export interface Share {
  readonly index: number;
  readonly count: number;
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
const SOURCE = 3;
const ORDER = 1;
const VIEW = 2;
const SHARE = 3;
const PLACES = 4;

/** The kind of each view of an image, in their order. */
export function viewKinds({ clean = 0, weak, strong }: ViewCounts): ViewKind[] {
  return [
    ...Array<ViewKind>(clean).fill('clean'),
    ...Array<ViewKind>(weak).fill('weak'),
    ...Array<ViewKind>(strong).fill('strong'),
  ];
}

/** Labelled and unlabelled images of a batch that are made here. */
export function imagesPerBatch({ labeledBatch, unlabeledBatch, share }: BatchOptions) {
  const parts = share?.count ?? 1;
  return { labeled: labeledBatch / parts, unlabeled: unlabeledBatch / parts };
}

/** Number of views of a batch that are made here. */
export function viewsPerBatch(options: BatchOptions): number {
  const { labeled, unlabeled } = imagesPerBatch(options);
  const { labeledViews, unlabeledViews } = options;
  return labeled * viewKinds(labeledViews).length + unlabeled * viewKinds(unlabeledViews).length;
}

/** An image in its turn. */
interface Draw {
  readonly image: number;
  /** How often each image of the pool has had its turn before. */
  readonly epoch: number;
}

/** The images of the batch of a step, in their places. */
type DrawBatch = (step: number) => readonly Draw[];

/**
 * An endless sequence over the images of a pool: one random permutation after another, each from (seed, stream, epoch).
 * Nothing is dropped or repeated within an epoch.
 */
function endlessPermutations(pool: Int32Array, seed: number, stream: number): (position: number) => Draw {
  const kept: { epoch: number; order: Int32Array }[] = []; // a batch spans two epochs at most times
  return (position) => {
    const epoch = Math.floor(position / pool.length);
    let permutation = kept.find((candidate) => candidate.epoch === epoch);
    if (permutation === undefined) {
      permutation = { epoch, order: shuffledRange(pool.length, randomStream(seed, stream, ORDER, epoch)) };
      kept.unshift(permutation);
      kept.length = Math.min(kept.length, 2);
    }
    return { image: pool[permutation.order[position % pool.length]], epoch };
  };
}

/** Batches from one pool. */
function drawFrom(pool: Int32Array, batch: number, [seed, stream]: readonly [number, number]): DrawBatch {
  const sequence = endlessPermutations(pool, seed, stream);
  return (step) => Array.from({ length: batch }, (_, place) => sequence(step * batch + place));
}

/**
 * Batches from a target and a source pool. Every place is the source's with probability r_u; the number of such places
 * among the first n batches is n·batch·r_u, rounded up or down at random. So a step's place in both sequences follows
 * from the step alone.
 */
function drawFromBoth(target: Int32Array, source: SourceImages, batch: number, seed: number): DrawBatch {
  const targets = endlessPermutations(target, seed, UNLABELED);
  const sources = endlessPermutations(source.images, seed, SOURCE);
  const rounding = randomStream(seed, UNLABELED, SHARE).uniform();
  const sourcesBefore = (step: number) => Math.floor(step * batch * source.ratio + rounding);
  return (step) => {
    let nextSource = sourcesBefore(step);
    let nextTarget = step * batch - nextSource;
    const count = sourcesBefore(step + 1) - nextSource;
    const order = shuffledRange(batch, randomStream(seed, UNLABELED, PLACES, step));
    return Array.from(order, (rank) => (rank < count ? sources(nextSource++) : targets(nextTarget++)));
  };
}

/** The part of each batch that a share is. */
function partOf(draw: DrawBatch, share: Share | undefined): DrawBatch {
  if (share === undefined) return draw;
  return (step) => {
    const batch = draw(step);
    const length = batch.length / share.count;
    return batch.slice(share.index * length, (share.index + 1) * length);
  };
}

/** Writes the batch of a step. */
export type WriteBatch = (step: number, arrays: BatchArrays) => void;

/** A writer of batches; it keeps working space, so create one a thread. */
export function createBatchWriter(options: BatchOptions): WriteBatch {
  const { labeled, unlabeled, source, labeledBatch, unlabeledBatch, seed, share } = options;
  const makeView = createViewMaker(options.views);
  const labeledPart: Part = {
    stream: LABELED,
    draw: partOf(drawFrom(labeled, labeledBatch, [seed, LABELED]), share),
    views: options.labeledViews,
  };
  const unlabeledPart: Part = {
    stream: UNLABELED,
    draw: partOf(
      source === undefined
        ? drawFrom(unlabeled, unlabeledBatch, [seed, UNLABELED])
        : drawFromBoth(unlabeled, source, unlabeledBatch, seed),
      share,
    ),
    views: options.unlabeledViews,
  };
  const writeLabeled = createPartWriter(labeledPart, options, makeView);
  const writeUnlabeled = createPartWriter(unlabeledPart, options, makeView);
  const labelOf = new Map(Array.from(labeled, (image, i) => [image, options.labels[i]]));
  const labeledHere = imagesPerBatch(options).labeled;
  const unlabeledStart = labeledHere * viewKinds(options.labeledViews).length * imageSize(options.dataset);

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
  readonly draw: DrawBatch;
  readonly views: ViewCounts;
}

/** A writer of one part's views, (views × batch, height, width, channel), and of its image indices, (batch). */
function createPartWriter({ stream, draw, views }: Part, options: BatchOptions, makeView: MakeView) {
  const { dataset, seed } = options;
  const { count, height, width, channels } = dataset;
  const size = imageSize(dataset);
  const kinds = viewKinds(views);

  return (step: number, pixels: Uint8Array, indices: Int32Array): void => {
    const batch = draw(step);
    batch.forEach(({ image, epoch }, place) => {
      if (image < 0 || image >= count) {
        throw new RangeError(`image ${image} does not exist: the data set has ${count} images`);
      }
      indices[place] = image;
      const data = pixelsOf(dataset, image);
      const source: Pixels = { data, height, width, channels };
      kinds.forEach((kind, view) => {
        const random = randomStream(seed, stream, VIEW, epoch, image, view);
        const start = (view * batch.length + place) * size;
        makeView(kind, source, random, pixels.subarray(start, start + size));
      });
    });
  };
}
