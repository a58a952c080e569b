import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../errors.js';
import { type Split, splitDataset } from './split.js';

/** Labels of a data set with the given number of images a class, in mixed order. */
function labelsOf(counts: number[]): Int32Array {
  const labels = counts.flatMap((count, label) => Array<number>(count).fill(label));
  return Int32Array.from(labels.map((_, i) => labels[(i * 7919) % labels.length]));
}

function countsOf(labels: Int32Array, indices: Int32Array, classes: number): number[] {
  const counts = Array<number>(classes).fill(0);
  for (const image of indices) counts[labels[image]]++;
  return counts;
}

const classes = (count: number): string[] => Array.from({ length: count }, (_, i) => `class ${i}`);

/** A data set, and a split that it has enough images for. */
const possible = fc
  .record({
    classCount: fc.integer({ min: 1, max: 8 }),
    seed: fc.nat(),
    labeled: fc.nat(40),
    validation: fc.nat(40),
  })
  .chain((options) => {
    const needed =
      Math.ceil(options.labeled / options.classCount) + Math.ceil(options.validation / options.classCount);
    const counts = fc.array(fc.integer({ min: needed, max: needed + 20 }), {
      minLength: options.classCount,
      maxLength: options.classCount,
    });
    return fc.tuple(fc.constant(options), counts.map(labelsOf));
  })
  .filter(([{ classCount }, labels]) => new Set(labels).size === classCount);

describe('splitDataset', () => {
  test('gives three ascending, disjoint sets that cover every image', () => {
    fc.assert(
      fc.property(possible, ([{ classCount, ...options }, labels]) => {
        const split = splitDataset(labels, { ...options, classes: classes(classCount) });
        const all = [...split.labeled, ...split.unlabeled, ...split.validation];
        expect(all.sort((a, b) => a - b)).toEqual([...labels.keys()]);
        for (const set of [split.labeled, split.unlabeled, split.validation]) {
          expect([...set]).toEqual([...set].sort((a, b) => a - b));
        }
      }),
    );
  });

  test('takes as many of each class as of any other, or one more', () => {
    fc.assert(
      fc.property(possible, ([{ classCount, ...options }, labels]) => {
        const split = splitDataset(labels, { ...options, classes: classes(classCount) });
        for (const [set, total] of [
          [split.labeled, options.labeled],
          [split.validation, options.validation],
        ] as const) {
          const counts = countsOf(labels, set, classCount);
          expect(set.length).toBe(total);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test('does not change the labelled images with the number of validation images', () => {
    fc.assert(
      fc.property(possible, ([{ classCount, ...options }, labels]) => {
        const of = (validation: number): Split =>
          splitDataset(labels, { ...options, validation, classes: classes(classCount) });
        expect(of(0).labeled).toEqual(of(options.validation).labeled);
      }),
    );
  });

  const labels = labelsOf(Array(10).fill(50));
  const split = (seed: number, labeled = 40): Split =>
    splitDataset(labels, { labeled, validation: 20, classes: classes(10), seed });

  test('depends on the seed and on nothing else', () => {
    expect(split(1)).toEqual(split(1));
    expect(split(1).labeled).not.toEqual(split(2).labeled);
  });

  test('keeps labelled images labelled when more are asked for', () => {
    const more = new Set(split(3, 100).labeled);
    expect([...split(3, 40).labeled].every((image) => more.has(image))).toBe(true);
  });

  test('draws which classes give one more', () => {
    const favored = new Set<string>();
    for (let seed = 0; seed < 40; seed++) favored.add(countsOf(labels, split(seed, 13).labeled, 10).join());
    expect(favored.size).toBeGreaterThan(20);
  });

  test('takes the same share of every class, at least one image', () => {
    const uneven = labelsOf([100, 50, 9, 2]);
    const { labeled, validation } = splitDataset(uneven, {
      labeled: { share: 0.1 },
      validation: { share: 0.02 },
      classes: classes(4),
      seed: 1,
    });
    expect(countsOf(uneven, labeled, 4)).toEqual([10, 5, 1, 1]);
    expect(countsOf(uneven, validation, 4)).toEqual([2, 1, 1, 1]);
    expect(() =>
      splitDataset(uneven, {
        labeled: { share: 0.9 },
        validation: { share: 0.3 },
        classes: classes(4),
        seed: 1,
      }),
    ).toThrow(/class class 0 has 100 images, fewer than the 90 labeled and 30 validation/);
  });

  test('leaves images of unknown class unlabelled', () => {
    const some = Int32Array.from([0, -1, 1, 0, -1, 1]);
    const { labeled, unlabeled } = splitDataset(some, {
      labeled: 4,
      validation: 0,
      classes: classes(2),
      seed: 1,
    });
    expect([...labeled]).toEqual([0, 2, 3, 5]);
    expect([...unlabeled]).toEqual([1, 4]);
  });

  test.each([
    [{ labeled: 600 }, /class class 0 has 50 images, fewer than the 60 labeled and 2 validation/],
    [{ labeled: 400, validation: 200 }, /fewer than the 40 labeled and 20 validation/],
    [{ labeled: -1 }, /whole number/],
    [{ validation: 1.5 }, /whole number/],
    [{ classes: classes(9) }, /label 9, but there are 9 classes/],
  ])('refuses %o', (wrong, message) => {
    const run = () =>
      splitDataset(labels, { labeled: 40, validation: 20, classes: classes(10), seed: 1, ...wrong });
    expect(run).toThrow(InputError);
    expect(run).toThrow(message);
  });
});
