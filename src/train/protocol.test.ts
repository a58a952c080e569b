import { describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { bestOnValidation, checkProtocol, type Measurement, medianOfLast } from './protocol.js';

const measured = (step: number, testAccuracy: number | null, validationAccuracy: number | null = null) =>
  ({ step, testAccuracy, validationAccuracy }) satisfies Measurement;

describe('the median of the last measurements', () => {
  const measurements = [0.9, 0.1, 0.5, 0.2, 0.4].map((accuracy, i) => measured(i, accuracy, 1 - accuracy));

  it('is the middle one of an odd number', () => {
    expect(medianOfLast(measurements, 3)).toEqual({ testAccuracy: 0.4, validationAccuracy: 0.6 });
  });

  it('is the mean of the middle two of an even number', () => {
    expect(medianOfLast(measurements, 4).testAccuracy).toBeCloseTo(0.3, 12);
  });

  it('is of all where there are fewer', () => {
    expect(medianOfLast(measurements, 10).testAccuracy).toBe(0.4);
  });

  it('is nothing where nothing was measured', () => {
    expect(medianOfLast([measured(1, 0.5)], 2)).toEqual({ testAccuracy: 0.5, validationAccuracy: null });
  });
});

describe('the best on validation images', () => {
  it('is the first of the best', () => {
    const measurements = [measured(1, null, 0.5), measured(2, null, 0.75), measured(3, null, 0.75)];
    expect(bestOnValidation(measurements).step).toBe(2);
  });
});

describe('a protocol is refused', () => {
  const evaluation = { protocol: 'median', every: 5, window: 10 } as const;

  it('where it compares evaluations and asks for none', () => {
    expect(() => checkProtocol({ ...evaluation, every: 0 }, { validation: 9, test: 9 })).toThrow(InputError);
    expect(() => checkProtocol(evaluation, { validation: 0, test: 9 })).not.toThrow();
  });

  it('where it has nothing to measure on', () => {
    expect(() => checkProtocol(evaluation, { validation: 0, test: 0 })).toThrow(
      /neither test nor validation/,
    );
    expect(() => checkProtocol(evaluation, { validation: 1, test: 0 })).not.toThrow();
    expect(() =>
      checkProtocol({ ...evaluation, protocol: 'last' }, { validation: 0, test: 0 }),
    ).not.toThrow();
  });

  it('where it chooses by validation images and there are none', () => {
    const best = { ...evaluation, protocol: 'best-on-validation' } as const;
    expect(() => checkProtocol(best, { validation: 0, test: 9 })).toThrow(InputError);
    expect(() => checkProtocol(best, { validation: 1, test: 9 })).not.toThrow();
  });
});
