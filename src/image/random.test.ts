import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomStream, shuffledRange } from './random.js';

const key = fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.maxSafeInteger());
const draws = (keys: number[]): number[] => {
  const random = randomStream(keys[0], ...keys.slice(1));
  return Array.from({ length: 8 }, () => random.uniform());
};

describe('randomStream', () => {
  test('gives the same stream for the same keys', () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 6 }), (keys) => {
        expect(draws(keys)).toEqual(draws(keys));
      }),
    );
  });

  test('gives another stream when any key changes', () => {
    const change = fc
      .array(key, { minLength: 1, maxLength: 6 })
      .chain((keys) => fc.tuple(fc.constant(keys), fc.nat(keys.length - 1), key));
    fc.assert(
      fc.property(change, ([keys, index, value]) => {
        fc.pre(keys[index] !== value);
        expect(draws(keys)).not.toEqual(draws(keys.with(index, value)));
      }),
    );
  });

  test('tells keys apart that exchange places or carry over', () => {
    expect(draws([1, 2, 3])).not.toEqual(draws([1, 3, 2]));
    expect(draws([0, 2 ** 32])).not.toEqual(draws([0, 0]));
    expect(draws([0, 2 ** 32])).not.toEqual(draws([0, 1]));
    expect(draws([0, 2 ** 32])).not.toEqual(draws([1, 0]));
  });

  test('has no bias in its first number over neighbouring keys', () => {
    const count = 20_000;
    const bins = new Array<number>(16).fill(0);
    for (let i = 0; i < count; i++) bins[randomStream(7, 1, i, 0).integer(16)]++;
    const chiSquare = bins.reduce((sum, bin) => sum + (bin - count / 16) ** 2 / (count / 16), 0);
    expect(chiSquare).toBeLessThan(37.7); // 15 degrees of freedom, p = 0.001
  });

  test('refuses keys that are no integers', () => {
    expect(() => randomStream(0.5)).toThrow(RangeError);
    expect(() => randomStream(0, Number.NaN)).toThrow('random key 1');
  });
});

describe('a random stream', () => {
  test('draws uniform numbers in [0, 1) with mean ½ and variance 1/12', () => {
    const random = randomStream(1);
    const values = Array.from({ length: 50_000 }, () => random.uniform());
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.min(...values.slice(0, 10_000))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values.slice(0, 10_000))).toBeLessThan(1);
    expect(mean).toBeCloseTo(0.5, 2);
    expect(variance).toBeCloseTo(1 / 12, 2);
  });

  test('draws integers below any bound', () => {
    fc.assert(
      fc.property(key, fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
        const value = randomStream(seed).integer(bound);
        expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true);
      }),
    );
  });
});

test('integers below a bound that does not divide 2³² are equally likely', () => {
  const random = randomStream(4);
  const third = 2 ** 30;
  let low = 0;
  for (let i = 0; i < 6000; i++) if (random.integer(3 * third) < third) low++;
  expect(low / 6000).toBeCloseTo(1 / 3, 1); // without a second draw: 1/2
});

describe('shuffledRange', () => {
  test('is a permutation', () => {
    fc.assert(
      fc.property(fc.nat(300), key, (n, seed) => {
        const order = shuffledRange(n, randomStream(seed));
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  test('gives each of the six orders of three about equally often', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6000; seed++) {
      const order = shuffledRange(3, randomStream(seed)).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });
});
