import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { setThreads, tensor } from '../tensor/index.js';
import { gaussianRamp, linearRamp, sharpen } from './equations.js';

beforeAll(() => setThreads(1));

/** Rows of probabilities that differ enough to be sharpened, none of them tiny. */
const rows = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 6 }))
  .chain(([count, classes]) =>
    fc.array(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: classes, maxLength: classes }), {
      minLength: count,
      maxLength: count,
    }),
  )
  .map((weights) => weights.map((row) => row.map((x) => x / row.reduce((sum, y) => sum + y, 0))));

describe('sharpen', () => {
  it('raises to the power 1/T and normalizes', () => {
    // T = ½: squares. 0.5², 0.3², 0.2² = 0.25, 0.09, 0.04, whose sum is 0.38
    expectTensor(sharpen(tensorOf([[0.5, 0.3, 0.2]]), 0.5), [[0.25 / 0.38, 0.09 / 0.38, 0.04 / 0.38]]);
  });

  it('changes nothing at temperature 1', () => {
    const probabilities = tensorOf([[0.5, 0.3, 0.2]]);
    expect(sharpen(probabilities, 1)).toBe(probabilities);
  });

  it('comes close to one-hot as the temperature goes to 0', () => {
    expectTensor(
      sharpen(
        tensorOf([
          [0.5, 0.3, 0.2],
          [0.1, 0.1, 0.8],
        ]),
        0.02,
      ),
      [
        [1, 0, 0],
        [0, 0, 1],
      ],
    );
  });

  it('does not underflow where all probabilities are small', () => {
    const classes = 100;
    const row = Array.from({ length: classes }, (_, c) => (c === 3 ? 1.01 : 1) / (classes + 0.01));
    // 0.01^50 is no float32; (1 / 1.01)^50 = 0.608
    const others = 1.01 ** -50;
    const sum = 1 + (classes - 1) * others;
    expectTensor(sharpen(tensorOf([row]), 0.02), [row.map((_, c) => (c === 3 ? 1 : others) / sum)], {
      tolerance: 1e-5,
    });
  });

  it('keeps the sum of each row and the order of its classes, for all temperatures', () => {
    fc.assert(
      fc.property(rows, fc.double({ min: 0.1, max: 1, noNaN: true }), (probabilities, temperature) => {
        const classes = probabilities[0].length;
        const input = tensor(probabilities.flat(), [probabilities.length, classes]);
        const sharp = sharpen(input, temperature).numbers();
        probabilities.forEach((row, i) => {
          const sharpRow = sharp.slice(i * classes, (i + 1) * classes);
          expect(sharpRow.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
          expect(Math.max(...sharpRow)).toBeGreaterThanOrEqual(Math.max(...row) - 1e-6);
          expect(sharpRow[row.indexOf(Math.max(...row))]).toBe(Math.max(...sharpRow));
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe('linearRamp', () => {
  it.each([
    { step: 0, steps: 100, ramp: 0 },
    { step: 25, steps: 100, ramp: 0.25 },
    { step: 100, steps: 100, ramp: 1 },
    { step: 101, steps: 100, ramp: 1 },
    { step: 0, steps: 0, ramp: 1 },
    { step: 7, steps: 0, ramp: 1 },
  ])('is $ramp at step $step of $steps', ({ step, steps, ramp }) => {
    expect(linearRamp(step, steps)).toBe(ramp);
  });
});

describe('gaussianRamp', () => {
  it.each([
    { step: 0, steps: 100, ramp: Math.exp(-5) },
    { step: 50, steps: 100, ramp: Math.exp(-1.25) },
    { step: 100, steps: 100, ramp: 1 },
    { step: 200, steps: 100, ramp: 1 },
    { step: 0, steps: 0, ramp: 1 },
  ])('is $ramp at step $step of $steps', ({ step, steps, ramp }) => {
    expect(gaussianRamp(step, steps)).toBeCloseTo(ramp, 12);
  });
});
