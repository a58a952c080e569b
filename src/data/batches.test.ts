import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultViewOptions } from '../image/views.js';
import {
  type BatchArrays,
  type BatchOptions,
  createBatchWriter,
  imagesPerBatch,
  viewKinds,
  viewsPerBatch,
} from './batches.js';
import { imageSize, sharedBytes } from './dataset.js';

const COUNT = 30;
const SIDE = 4;

/** Images that show their own index in every pixel. */
const dataset = {
  count: COUNT,
  height: SIDE,
  width: SIDE,
  channels: 1,
  images: sharedBytes(COUNT * SIDE * SIDE),
};
for (let image = 0; image < COUNT; image++) {
  dataset.images.fill(image, image * SIDE * SIDE, (image + 1) * SIDE * SIDE);
}

const defaults: BatchOptions = {
  dataset,
  labeled: Int32Array.from([3, 7, 11, 20]),
  labels: Int32Array.from([0, 1, 2, 3]),
  unlabeled: Int32Array.from({ length: COUNT }, (_, i) => i).filter((i) => ![3, 7, 11, 20].includes(i)),
  labeledBatch: 3,
  unlabeledBatch: 5,
  labeledViews: { clean: 1, weak: 0, strong: 0 },
  unlabeledViews: { clean: 2, weak: 0, strong: 0 },
  views: defaultViewOptions(dataset),
  seed: 1,
};

function batch(step: number, options: BatchOptions = defaults): BatchArrays {
  const { labeled, unlabeled } = imagesPerBatch(options);
  const arrays = {
    pixels: new Uint8Array(viewsPerBatch(options) * imageSize(options.dataset)),
    labels: new Int32Array(labeled),
    labeledIndices: new Int32Array(labeled),
    unlabeledIndices: new Int32Array(unlabeled),
  };
  createBatchWriter(options)(step, arrays);
  return arrays;
}

describe('viewKinds', () => {
  test('come in the order clean, weak, strong', () => {
    expect(viewKinds({ weak: 1, strong: 2 })).toEqual(['weak', 'strong', 'strong']);
    expect(viewKinds({ clean: 1, weak: 0, strong: 1 })).toEqual(['clean', 'strong']);
  });
});

describe('a batch', () => {
  test('lays out labelled views, then unlabelled views, each view by view', () => {
    const { pixels, labeledIndices, unlabeledIndices } = batch(2);
    const shown = Array.from({ length: 13 }, (_, view) => pixels[view * SIDE * SIDE]);
    expect(shown).toEqual([...labeledIndices, ...unlabeledIndices, ...unlabeledIndices]);
  });

  test('carries the class of each labelled image', () => {
    for (let step = 0; step < 8; step++) {
      const { labels, labeledIndices } = batch(step);
      expect([...labels]).toEqual([...labeledIndices].map((image) => defaults.labeled.indexOf(image)));
    }
  });

  test('does not depend on the batches written before it', () => {
    const write = createBatchWriter({ ...defaults, unlabeledViews: { weak: 1, strong: 1 } });
    const options = { ...defaults, unlabeledViews: { weak: 1, strong: 1 } };
    const arrays = batch(0, options);
    for (const step of [9, 0, 40, 3]) {
      write(step, arrays);
      expect(arrays).toEqual(batch(step, options));
    }
  });

  test('has other views of an image in every epoch and every place among its views', () => {
    const views = { ...defaults.views, strong: { ...defaults.views.strong, operations: 0, cutout: 0.5 } };
    const options = {
      ...defaults,
      views,
      labeled: Int32Array.of(5),
      labels: Int32Array.of(0),
      labeledBatch: 1,
    };
    const seen = new Set<string>();
    let different = 0;
    for (let step = 0; step < 40; step++) {
      const { pixels } = batch(step, { ...options, labeledViews: { weak: 0, strong: 2 }, unlabeledBatch: 0 });
      seen.add(pixels.subarray(0, 16).join());
      if (pixels.subarray(0, 16).join() !== pixels.subarray(16, 32).join()) different++;
    }
    expect(seen.size).toBeGreaterThan(8);
    expect(different).toBeGreaterThan(20);
  });

  test('refuses an index that is no image', () => {
    const options = { ...defaults, unlabeled: Int32Array.of(30) };
    expect(() => batch(0, options)).toThrow('image 30 does not exist: the data set has 30 images');
  });
});

describe('the order of images', () => {
  const sizes = fc.record({
    labeledCount: fc.integer({ min: 1, max: 9 }),
    labeledBatch: fc.integer({ min: 1, max: 12 }),
    unlabeledBatch: fc.integer({ min: 1, max: 40 }),
    seed: fc.nat(),
  });

  /** The first images of both streams. */
  function streams(options: BatchOptions, steps: number): { labeled: number[]; unlabeled: number[] } {
    const batches = Array.from({ length: steps }, (_, step) => batch(step, options));
    return {
      labeled: batches.flatMap(({ labeledIndices }) => [...labeledIndices]),
      unlabeled: batches.flatMap(({ unlabeledIndices }) => [...unlabeledIndices]),
    };
  }

  test('drops and repeats nothing within an epoch, in either stream', () => {
    fc.assert(
      fc.property(sizes, ({ labeledCount, ...rest }) => {
        const all = Int32Array.from({ length: COUNT }, (_, i) => i);
        const labeled = all.subarray(0, labeledCount);
        const unlabeled = all.subarray(labeledCount);
        const options = { ...defaults, ...rest, labeled, labels: labeled, unlabeled };
        const { labeled: labeledStream, unlabeled: unlabeledStream } = streams(options, 12);
        for (const [stream, pool] of [
          [labeledStream, labeled],
          [unlabeledStream, unlabeled],
        ] as const) {
          for (let start = 0; start + pool.length <= stream.length; start += pool.length) {
            expect(stream.slice(start, start + pool.length).sort((a, b) => a - b)).toEqual([...pool]);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('is another one in every epoch and for every seed', () => {
    const options = { ...defaults, unlabeledBatch: 26 };
    const orders = [0, 1, 2].map((epoch) => batch(epoch, options).unlabeledIndices.join());
    orders.push(batch(0, { ...options, seed: 2 }).unlabeledIndices.join());
    expect(new Set(orders).size).toBe(4);
  });

  test('of unlabelled images does not depend on the labelled ones', () => {
    const other = { ...defaults, labeled: Int32Array.of(1), labels: Int32Array.of(0), labeledBatch: 7 };
    expect(streams(other, 10).unlabeled).toEqual(streams(defaults, 10).unlabeled);
  });
});

describe('unlabelled images of a target and of source domains', () => {
  const target = Int32Array.from({ length: 7 }, (_, i) => i);
  const source = Int32Array.from({ length: COUNT - 7 }, (_, i) => i + 7);
  const isSource = (image: number): boolean => image >= 7;
  const mixed = (ratio: number, changes: Partial<BatchOptions> = {}): BatchOptions => ({
    ...defaults,
    unlabeled: target,
    source: { images: source, ratio },
    ...changes,
  });
  const settings = fc.record({
    ratio: fc.oneof(fc.constantFrom(0, 0.25, 0.5, 0.75, 1), fc.double({ min: 0, max: 1, noNaN: true })),
    unlabeledBatch: fc.integer({ min: 1, max: 20 }),
    seed: fc.nat(),
  });

  /** Of each of the first batches, the unlabelled images. */
  function firstBatches(steps: number, options: BatchOptions): number[][] {
    const arrays = batch(0, options);
    const write = createBatchWriter(options);
    return Array.from({ length: steps }, (_, step) => {
      write(step, arrays);
      return [...arrays.unlabeledIndices];
    });
  }

  test('come in the asked for ratio, exactly but for rounding, however many batches', () => {
    fc.assert(
      fc.property(settings, ({ ratio, ...rest }) => {
        let [sources, images] = [0, 0];
        const deviations = firstBatches(12, mixed(ratio, rest)).map((indices) => {
          sources += indices.filter(isSource).length;
          images += indices.length;
          return Math.abs(sources - images * ratio);
        });
        expect(Math.max(...deviations)).toBeLessThan(1 + 1e-9);
      }),
      { numRuns: 50 },
    );
  });

  test('are each an endless permutation: nothing is dropped or repeated within an epoch', () => {
    fc.assert(
      fc.property(settings, ({ ratio, ...rest }) => {
        const stream = firstBatches(12, mixed(ratio, rest)).flat();
        for (const pool of [target, source]) {
          const drawn = stream.filter((image) => pool.includes(image));
          for (let start = 0; start + pool.length <= drawn.length; start += pool.length) {
            expect(drawn.slice(start, start + pool.length).sort((a, b) => a - b)).toEqual([...pool]);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test('follow from options and step alone', () => {
    const options = mixed(0.4);
    const write = createBatchWriter(options);
    const arrays = batch(0, options);
    for (const step of [30, 2, 1000, 0]) {
      write(step, arrays);
      expect(arrays).toEqual(batch(step, options));
    }
  });

  test('are those of the target alone at ratio 0, and need none of it at ratio 1', () => {
    for (let step = 0; step < 5; step++) {
      expect(batch(step, mixed(0))).toEqual(batch(step, { ...defaults, unlabeled: target }));
      const { unlabeledIndices } = batch(step, mixed(1, { unlabeled: new Int32Array(0) }));
      expect([...unlabeledIndices].every(isSource)).toBe(true);
    }
  });

  test('are of a source with the same probability in every place and for every seed', () => {
    const [places, runs] = [5, 1000];
    const counts = Array<number>(places).fill(0);
    for (let run = 0; run < runs; run++) {
      const { unlabeledIndices } = batch(0, mixed(0.3, { unlabeledBatch: places, seed: run }));
      unlabeledIndices.forEach((image, place) => {
        counts[place] += Number(isSource(image));
      });
    }
    for (const count of counts) expect(Math.abs(count / runs - 0.3)).toBeLessThan(0.07); // 4.8 standard deviations
  });
});

describe('the parts of a batch that processes share', () => {
  const sharing: BatchOptions = {
    ...defaults,
    labeledBatch: 12,
    unlabeledBatch: 24,
    labeledViews: { weak: 1, strong: 1 },
    unlabeledViews: { weak: 1, strong: 2 },
  };
  const source = { images: Int32Array.from([0, 1, 2, 4, 5, 6]), ratio: 0.3 };

  test.each([
    [2, sharing],
    [3, { ...sharing, source }],
    [12, sharing],
  ])('are together the whole batch, in its order, with the same views: %i of them', (count, options) => {
    for (let step = 0; step < 20; step++) {
      const whole = batch(step, options);
      const parts = Array.from({ length: count }, (_, index) =>
        batch(step, { ...options, share: { index, count } }),
      );
      for (const key of ['labels', 'labeledIndices', 'unlabeledIndices'] as const) {
        expect(parts.flatMap((part) => [...part[key]])).toEqual([...whole[key]]);
      }
      // View by view: the first part of each is in the first part.
      const size = imageSize(dataset);
      const viewsOf = (pixels: Uint8Array, images: number, views: number) =>
        Array.from({ length: views }, (_, view) =>
          Buffer.from(pixels.subarray(view * images * size, (view + 1) * images * size)).toString('hex'),
        );
      const rest = (pixels: Uint8Array, images: number) => pixels.subarray(2 * images * size);
      const [ours, theirs] = [parts.map(({ pixels }) => pixels), whole.pixels];
      const joined = (all: string[][]) => all[0].map((_, view) => all.map((part) => part[view]).join(''));
      expect(joined(ours.map((pixels) => viewsOf(pixels, 12 / count, 2)))).toEqual(viewsOf(theirs, 12, 2));
      expect(joined(ours.map((pixels) => viewsOf(rest(pixels, 12 / count), 24 / count, 3)))).toEqual(
        viewsOf(rest(theirs, 12), 24, 3),
      );
    }
  });

  test('show every image of an epoch once, whoever has it', () => {
    const images = Array.from({ length: 2 }, (_, index) => index).flatMap((index) =>
      Array.from({ length: 13 }, (_, step) => [
        ...batch(step, { ...sharing, unlabeledBatch: 2, share: { index, count: 2 }, labeledBatch: 2 })
          .unlabeledIndices,
      ]).flat(),
    );
    expect(images.toSorted((a, b) => a - b)).toEqual([...defaults.unlabeled]);
  });
});
