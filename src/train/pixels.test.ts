import { beforeAll, describe, expect, it } from 'vitest';
import { expectTensor } from '../../test/support/tensors.js';
import { sharedBytes } from '../data/dataset.js';
import { setThreads } from '../tensor/index.js';
import { measureNormalization, placesOf, toBatch, toImages } from './pixels.js';

beforeAll(() => setThreads(1));

function imageSet(images: readonly number[][], channels: number) {
  const bytes = sharedBytes(images.flat().length);
  bytes.set(images.flat());
  return { count: images.length, height: 1, width: images[0].length / channels, channels, images: bytes };
}

describe('the normalization of a data set', () => {
  it('is mean and standard deviation of each channel over the given images', () => {
    // one row of two pixels with two channels each
    const set = imageSet(
      [
        [0, 10, 4, 10],
        [99, 99, 99, 99],
        [8, 30, 4, 30],
      ],
      2,
    );
    expect(measureNormalization(set, Int32Array.of(0, 2))).toEqual({
      mean: [4, 20],
      standardDeviation: [Math.sqrt(8), 10],
    });
  });

  it('does not divide by zero where a channel is the same everywhere', () => {
    const { mean, standardDeviation } = measureNormalization(imageSet([[7, 7]], 1), Int32Array.of(0));
    expect(mean).toEqual([7]);
    expect(standardDeviation[0]).toBeGreaterThan(0);
  });
});

describe('toImages', () => {
  it('normalizes each channel and puts the channels before height and width, channels-last in memory', () => {
    // two images of 1×2 pixels with 2 channels
    const pixels = Uint8Array.of(1, 20, 3, 40, 5, 60, 7, 80);
    const size = { height: 1, width: 2, channels: 2 };
    const images = toImages(pixels, size, { mean: [1, 20], standardDeviation: [2, 10] });
    expectTensor(images, [
      [[[0, 1]], [[0, 2]]],
      [[[2, 3]], [[4, 6]]],
    ]);
    expect(images.isChannelsLast).toBe(true);
  });

  it('gives images of mean 0 and deviation 1 with the normalization of their own set', () => {
    const set = imageSet(
      Array.from({ length: 20 }, (_, i) => [(i * 37) % 256, (i * 91) % 256]),
      1,
    );
    const normalization = measureNormalization(
      set,
      Int32Array.from({ length: 20 }, (_, i) => i),
    );
    const images = toImages(set.images, set, normalization);
    expect(images.mean().item()).toBeCloseTo(0, 5);
    expect(images.mul(images).mean().item()).toBeCloseTo(1, 5);
  });
});

describe('toBatch', () => {
  /** A byte that tells which view of which image it is. */
  const viewBatch = {
    pixels: Uint8Array.of(
      ...[10, 11], // weak view of labeled images 0 and 1
      ...[20, 21], // their first strong view
      ...[30, 31], // their second
      ...[100, 101, 102], // weak view of unlabeled images 0 to 2
      ...[110, 111, 112], // their strong view
    ),
    labels: Int32Array.of(4, 2),
    labeledIndices: Int32Array.of(7, 8),
    unlabeledIndices: Int32Array.of(1, 2, 3),
    step: 0,
    release() {},
  };
  const images = (pixels: Uint8Array) =>
    toImages(pixels, { height: 1, width: 1, channels: 1 }, { mean: [0], standardDeviation: [1] });
  const places = placesOf(Int32Array.of(0, 2, 3, 1), 9);
  const layout = { labeled: { weak: 1, strong: 2 }, unlabeled: { weak: 1, strong: 1 }, places };

  it('sorts the views of the loader into labeled and unlabeled, weak and strong ones', () => {
    const { labels, labeled, unlabeled, unlabeledIndices } = toBatch(viewBatch, layout, images);
    expectTensor(labels, [4, 2], { dtype: 'int64' });
    expect(labeled.count).toBe(2);
    expect(labeled.images.numbers()).toEqual([10, 11, 20, 21, 30, 31]);
    expect(labeled.weak.numbers()).toEqual([10, 11]);
    expect(labeled.strong.numbers()).toEqual([20, 21, 30, 31]);
    expect(unlabeled.count).toBe(3);
    expect(unlabeled.images.numbers()).toEqual([100, 101, 102, 110, 111, 112]);
    expect(unlabeled.weak.numbers()).toEqual([100, 101, 102]);
    expect(unlabeled.strong.numbers()).toEqual([110, 111, 112]);
    expect(unlabeled.strong.shape).toEqual([3, 1, 1, 1]);
    expectTensor(unlabeledIndices, [3, 1, 2], { dtype: 'int64' }); // places of 1, 2 and 3 among 0, 2, 3, 1
  });

  it('takes a batch without unlabeled images', () => {
    const { labeled, unlabeled } = toBatch(
      {
        ...viewBatch,
        pixels: viewBatch.pixels.subarray(0, 2),
        unlabeledIndices: new Int32Array(0),
      },
      { labeled: { weak: 0, strong: 1 }, unlabeled: { weak: 0, strong: 0 }, places },
      images,
    );
    expect(labeled.weak.shape).toEqual([0, 1, 1, 1]);
    expect(labeled.strong.numbers()).toEqual([10, 11]);
    expect(unlabeled.images.shape).toEqual([0, 1, 1, 1]);
  });
});
