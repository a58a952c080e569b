/** From the loader's bytes to the tensors an algorithm sees. */
import type { Config } from '../config/index.js';
import { type ImageSet, pixelsOf } from '../data/dataset.js';
import type { ViewBatch } from '../data/loader.js';
import type { Batch, ViewCounts, Views } from '../ssl/index.js';
import { type Tensor, tensor, tidy } from '../tensor/index.js';
import { fitZca, whiten, type Zca } from './zca.js';

/** Mean and standard deviation of each channel, in units of the pixels' bytes. */
export interface StandardNormalization {
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
}

/** What is done to pixels before a network sees them. */
export type Normalization = StandardNormalization | Zca;

export const isZca = (normalization: Normalization): normalization is Zca => 'matrix' in normalization;

/** Fits a normalization to the given images: those that a run trains on, never validation or test images. */
export const normalizations: Record<
  Config['data']['normalization'],
  (images: ImageSet, indices: Int32Array) => Normalization
> = { standard: measureNormalization, zca: fitZca };

/** The statistics of the given images' pixels. */
export function measureNormalization(set: ImageSet, indices: Int32Array): StandardNormalization {
  const { height, width, channels } = set;
  const sum = new Float64Array(channels);
  const square = new Float64Array(channels);
  for (const index of indices) {
    const pixels = pixelsOf(set, index);
    for (let i = 0; i < pixels.length; i++) {
      const value = pixels[i];
      sum[i % channels] += value;
      square[i % channels] += value * value;
    }
  }
  const count = indices.length * height * width;
  const mean = Array.from(sum, (total) => total / count);
  const standardDeviation = Array.from(square, (total, channel) =>
    Math.sqrt(Math.max(total / count - mean[channel] ** 2, 1e-6)),
  );
  return { mean, standardDeviation };
}

/** Bytes (N, H, W, C) → normalized float32 (N, C, H, W), channels-last. */
export function toImages(
  pixels: Uint8Array,
  size: Pick<ImageSet, 'height' | 'width' | 'channels'>,
  normalization: Normalization,
): Tensor {
  return tidy(() => {
    const { height, width, channels } = size;
    const bytes = tensor(pixels, [pixels.length / (height * width * channels), height, width, channels]);
    const floats = bytes.to('float32');
    if (isZca(normalization)) return whiten(floats.mulInPlace(1 / 255).permute(0, 3, 1, 2), normalization);
    const { mean, standardDeviation } = normalization;
    const scaled = floats
      .addInPlace(tensor(mean), -1)
      .mulInPlace(tensor(standardDeviation.map((s) => 1 / s)));
    return scaled.permute(0, 3, 1, 2);
  });
}

/** How the loader's arrays are to be read. */
export interface BatchLayout {
  readonly labeled: ViewCounts;
  readonly unlabeled: ViewCounts;
  /** for each image of the data set its place among the unlabeled ones */
  readonly places: Int32Array;
}

/** The place of each index among `indices`; 0 for the others, of `count` in all. */
export function placesOf(indices: Int32Array, count: number): Int32Array {
  const places = new Int32Array(count);
  indices.forEach((index, place) => {
    places[index] = place;
  });
  return places;
}

/** The batch of a step. To be used inside `tidy`. */
export function toBatch(
  batch: ViewBatch,
  { labeled, unlabeled, places }: BatchLayout,
  images: (pixels: Uint8Array) => Tensor,
): Batch {
  const all = images(batch.pixels);
  const labeledRows = batch.labels.length * (labeled.weak + labeled.strong);
  return {
    labels: tensor(batch.labels).to('int64'),
    labeled: toViews(all.narrow(0, 0, labeledRows), batch.labels.length, labeled),
    unlabeled: toViews(
      all.narrow(0, labeledRows, all.shape[0] - labeledRows),
      batch.unlabeledIndices.length,
      unlabeled,
    ),
    unlabeledIndices: tensor(batch.unlabeledIndices.map((index) => places[index])).to('int64'),
  };
}

function toViews(images: Tensor, count: number, { weak, strong }: ViewCounts): Views {
  return {
    count,
    images,
    weak: images.narrow(0, 0, count * weak),
    strong: images.narrow(0, count * weak, count * strong),
  };
}
