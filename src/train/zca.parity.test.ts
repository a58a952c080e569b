import { beforeAll, describe, expect, it } from 'vitest';
import { expectParity, parityTensors } from '../../test/support/parity.js';
import { expectTensor } from '../../test/support/tensors.js';
import { sharedBytes } from '../data/dataset.js';
import { InputError } from '../errors.js';
import { randomStream } from '../image/random.js';
import { liveTensors, setThreads, tensor } from '../tensor/index.js';
import { toImages } from './pixels.js';
import { fitZca, whiten } from './zca.js';

beforeAll(() => setThreads(1));

const allOf = ({ count }: { count: number }) => Int32Array.from({ length: count }, (_, i) => i);

function imageSet(bytes: ArrayLike<number>, [count, height, width, channels]: readonly number[]) {
  const images = sharedBytes(bytes.length);
  images.set(bytes);
  return { count, height, width, channels, images };
}

/** 2×3 images with 2 channels whose values go together, so that there is something to whiten. */
function relatedPixels(count: number) {
  const random = randomStream(1);
  const bytes = Array.from({ length: count }, () => {
    const shared = random.integer(120);
    return Array.from({ length: 12 }, (_, i) => shared + random.integer(20 + 9 * i));
  });
  return imageSet(bytes.flat(), [count, 2, 3, 2]);
}

describe('ZCA', () => {
  it('is that of the published code', () => {
    const stored = parityTensors('zca.safetensors');
    const bytes = stored('images_u8_nhwc');
    const images = imageSet(bytes.numbers(), bytes.shape);
    const zca = fitZca(images, allOf(images));
    expectParity(zca.mean, stored('mean'));
    expectParity(zca.matrix, stored('matrix'));
    expectParity(whiten(stored('input_nchw'), zca), stored('output_nchw'));
  });

  it('gives the images that it was fitted to mean 0 and, as covariance, the identity', () => {
    const images = relatedPixels(1500); // more than are summed up at once
    const zca = fitZca(images, allOf(images));
    const white = toImages(images.images, images, zca);
    expect(white.shape).toEqual([1500, 2, 2, 3]);
    expect(white.isChannelsLast).toBe(true);
    const rows = white.flatten(1);
    expectTensor(rows.mean([0]), Array<number>(12).fill(0), { tolerance: 1e-4 });
    const covariance = rows.transpose(0, 1).matmul(rows).div(1500);
    const identity = Array.from({ length: 12 }, (_, i) =>
      Array.from({ length: 12 }, (_, j) => Number(i === j)),
    );
    expectTensor(covariance, identity, { tolerance: 1e-3 });
  });

  it('is fitted to the given images alone', () => {
    const images = relatedPixels(200);
    const indices = allOf(images).subarray(20, 120);
    const part = imageSet(images.images.slice(20 * 12, 120 * 12), [100, 2, 3, 2]);
    expect(fitZca(images, indices).matrix.equals(fitZca(part, allOf(part)).matrix)).toBe(true);
  });

  it('leaves nothing behind but its mean and matrix', () => {
    const images = relatedPixels(50);
    const before = liveTensors();
    const { mean, matrix } = fitZca(images, allOf(images));
    expect(liveTensors()).toBe(before + 2);
    mean.dispose();
    matrix.dispose();
  });

  it('refuses images that do not differ in all values, are too few, or too large', () => {
    const constant = relatedPixels(50);
    for (let i = 5; i < constant.images.length; i += 12) constant.images[i] = 9;
    expect(() => fitZca(constant, allOf(constant))).toThrow(/do not differ in all of their 12 values/);
    expect(() => fitZca(relatedPixels(12), Int32Array.of(1, 2, 3))).toThrow(InputError);
    const large = imageSet(new Uint8Array(2 * 84 * 84 * 3), [2, 84, 84, 3]);
    expect(() => fitZca(large, allOf(large))).toThrow(/at most 8192 values, not 21168/);
  });
});

it('whitening subtracts the mean before the product', () => {
  const zca = { mean: tensor([0.5, 1]), matrix: tensor([2, 1, 1, 3], [2, 2]) };
  const images = tensor([1, 1, 0.5, 2], [2, 2, 1, 1]);
  // (0.5, 0)·M = (1, 0.5); (0, 1)·M = (1, 3)
  expectTensor(whiten(images, zca), [
    [[[1]], [[0.5]]],
    [[[1]], [[3]]],
  ]);
});
