import { beforeAll, describe, expect, it } from 'vitest';
import { stripes, toyConfig } from '../../test/support/toy-images.js';
import { type ImageDataset, sharedBytes } from '../data/dataset.js';
import { InterruptedError } from '../errors.js';
import { liveTensors, setThreads, type Tensor, tensor } from '../tensor/index.js';
import { NotFiniteError } from './divergence.js';
import { evaluate, mostProbable, predictImages } from './evaluate.js';
import { Learning } from './learning.js';

beforeAll(() => setThreads(1));

const raw = { mean: [0], standardDeviation: [1] };
const allOf = ({ count }: { count: number }) => Int32Array.from({ length: count }, (_, i) => i);

/** One pixel an image: its value is the class that {@link readsPixel} predicts. */
function onePixelImages(pixels: readonly number[], labels: readonly number[]): ImageDataset {
  const images = sharedBytes(pixels.length);
  images.set(pixels);
  return {
    name: 'pixels',
    classes: ['zero', 'one', 'two'],
    labels: Int32Array.from(labels),
    count: pixels.length,
    height: 1,
    width: 1,
    channels: 1,
    images,
  };
}

/** Gives the class that the pixel names 0.8, and the others 0.1 each. */
function readsPixel(): Learning & { batches: number[] } {
  const batches: number[] = [];
  const predict = (images: Tensor) => {
    batches.push(images.shape[0]);
    const rows = images.numbers().flatMap((pixel) => [0, 1, 2].map((c) => (c === pixel ? 0.8 : 0.1)));
    return tensor(rows, [images.shape[0], 3]);
  };
  return { predict, batches } as unknown as Learning & { batches: number[] };
}

describe('evaluate', () => {
  it('counts the images whose most probable class is theirs', async () => {
    const dataset = onePixelImages([0, 1, 2, 2, 0], [0, 1, 2, 0, 1]);
    const { images, accuracy, crossEntropy } = await evaluate(readsPixel(), dataset, {
      normalization: raw,
      indices: allOf(dataset),
    });
    expect(images).toBe(5);
    expect(accuracy).toBe(3 / 5);
    expect(crossEntropy).toBeCloseTo(-(3 * Math.log(0.8) + 2 * Math.log(0.1)) / 5, 5);
  });

  it('looks at the given images alone', async () => {
    const dataset = onePixelImages([0, 1, 2, 2, 0], [0, 1, 2, 0, 1]);
    const indices = Int32Array.of(1, 2, 4);
    const { accuracy } = await evaluate(readsPixel(), dataset, { normalization: raw, indices });
    expect(accuracy).toBe(2 / 3);
  });
});

describe('predictImages', () => {
  it('gives the rows in the order of the indices, in several batches', async () => {
    const pixels = Array.from({ length: 600 }, (_, i) => i % 3);
    const dataset = onePixelImages(pixels, pixels);
    const learning = readsPixel();
    const indices = allOf(dataset).reverse();
    const rows = await predictImages(learning, dataset, { normalization: raw, indices });
    expect(rows.map(mostProbable)).toEqual(pixels.toReversed());
    expect(learning.batches).toEqual([256, 256, 88]);
  });

  it('does not depend on which images are evaluated together, draws nothing and leaves nothing behind', async () => {
    const learning = new Learning(toyConfig(), {
      classes: 3,
      channels: 1,
      labelDistribution: [1 / 3, 1 / 3, 1 / 3],
      unlabeledImages: 10,
      labeledImages: () => [],
    });
    const dataset = stripes(12, 3);
    const options = { normalization: { mean: [90], standardDeviation: [70] } };
    const together = await predictImages(learning, dataset, { ...options, indices: allOf(dataset) });
    const before = liveTensors();
    const alone = await predictImages(learning, dataset, { ...options, indices: [5] });
    expect(liveTensors()).toBe(before);
    alone[0].forEach((probability, c) => {
      expect(probability).toBeCloseTo(together[5][c], 5);
    });
    expect(await predictImages(learning, dataset, { ...options, indices: allOf(dataset) })).toEqual(together);
  });
});

describe('predictImages, while it works,', () => {
  const dataset = onePixelImages(Array(600).fill(0), Array(600).fill(0));

  it('lets signals and timers have their turn', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const learning = readsPixel();
    const slow = (images: Tensor) => {
      for (const start = performance.now(); performance.now() < start + 5; );
      return learning.predict(images);
    };
    const learner = { predict: slow } as unknown as Learning;
    await predictImages(learner, dataset, { normalization: raw, indices: allOf(dataset) });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it('can be ended', async () => {
    const controller = new AbortController();
    const learning = readsPixel();
    const predict = (images: Tensor) => {
      controller.abort('SIGINT');
      return learning.predict(images);
    };
    const options = { normalization: raw, indices: allOf(dataset), signal: controller.signal };
    const prediction = predictImages({ predict } as unknown as Learning, dataset, options);
    await expect(prediction).rejects.toThrow(InterruptedError);
    expect(learning.batches).toEqual([256]);
  });

  it('says where the numbers are none', async () => {
    const predict = () => tensor([Number.NaN, 1], [1, 2]);
    const options = { normalization: raw, indices: [0] };
    const prediction = predictImages({ predict } as unknown as Learning, dataset, options);
    await expect(prediction).rejects.toThrow(NotFiniteError);
  });
});

describe('mostProbable', () => {
  it('is the first of the greatest', () => {
    expect(mostProbable(Float32Array.of(0.1, 0.45, 0.45))).toBe(1);
    expect(mostProbable(Float32Array.of(1))).toBe(0);
  });
});
