import { describe, expect, it } from 'vitest';
import { calibrationOf, findingsOf } from './findings.js';

const rows = [
  [0.9, 0.1, 0], // right
  [0.2, 0.7, 0.1], // of class 0, taken for 1
  [0.05, 0.95, 0], // of class 2, taken for 1
  [0.3, 0.3, 0.4], // right
].map((row) => Float32Array.from(row));
const findings = findingsOf(rows, {
  indices: Int32Array.of(3, 0, 1, 2),
  labels: Int32Array.of(0, 2, 2, 0),
  classes: 3,
});

describe('findings', () => {
  it('count images of each class by what they were taken for', () => {
    expect(findings.confusion).toEqual([
      [1, 1, 0],
      [0, 0, 0],
      [0, 1, 1],
    ]);
    expect(findings).toMatchObject({ images: 4, accuracy: 0.5 });
  });

  it('have the mistakes, the most confident first, by their place in the set', () => {
    expect(findings.mistakes).toEqual([
      { image: 1, label: 2, predicted: 1, confidence: Math.fround(0.95) },
      { image: 0, label: 0, predicted: 1, confidence: Math.fround(0.7) },
    ]);
  });
});

describe('the expected calibration error', () => {
  const guess = (confidence: number, isRight: boolean) => ({
    confidence,
    label: 0,
    predicted: isRight ? 0 : 1,
  });

  it('is the mean distance of accuracy and confidence in bins of confidence, by images', () => {
    // In the bin of 0.5: 2 of 4 right at 0.52; in that of 0.9: 1 of 1 at 0.9.
    const { error, bins, meanConfidence } = calibrationOf([
      ...[true, true, false, false].map((isRight) => guess(0.52, isRight)),
      guess(0.9, true),
    ]);
    expect(error).toBeCloseTo((4 / 5) * 0.02 + (1 / 5) * 0.1, 12);
    expect(meanConfidence).toBeCloseTo((4 * 0.52 + 0.9) / 5, 12);
    expect(bins.map(({ images }) => images)).toEqual([0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 1, 0]);
    expect(bins[7]).toMatchObject({ accuracy: 0.5 });
    expect(bins[0]).toEqual({ images: 0, accuracy: null, confidence: null });
  });

  it('is zero of right and certain guesses, which are in the last bin', () => {
    const { error, bins } = calibrationOf([guess(1, true), guess(1, true)]);
    expect(error).toBe(0);
    expect(bins[14]).toEqual({ images: 2, accuracy: 1, confidence: 1 });
  });
});
