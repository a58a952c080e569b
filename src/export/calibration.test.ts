import { describe, expect, it } from 'vitest';
import { randomStream } from '../image/random.js';
import { fitTemperature, quantile } from './calibration.js';

/** softmax(logits / temperature) */
function softmax(logits: readonly number[], temperature: number): Float32Array {
  const powers = logits.map((logit) => Math.exp(logit / temperature));
  const sum = powers.reduce((total, power) => total + power);
  return Float32Array.from(powers, (power) => power / sum);
}

/** The class that a number of 0…1 falls to. */
function draw(probabilities: Float32Array, number: number): number {
  let sum = 0;
  return Math.max(
    0,
    probabilities.findIndex((probability) => {
      sum += probability;
      return number < sum;
    }),
  );
}

describe('fitTemperature', () => {
  it.each([0.5, 1, 3])('finds the temperature %f by which a model is too sure', (temperature) => {
    const random = randomStream(1);
    const logits = Array.from({ length: 4000 }, () => [0, 0, 0, 0].map(() => 3 * random.uniform()));
    const labels = logits.map((row) => draw(softmax(row, 1), random.uniform()));
    const probabilities = logits.map((row) => softmax(row, 1 / temperature));
    expect(fitTemperature(probabilities, labels) / temperature).toBeCloseTo(1, 0.9);
  });

  it('has a limit where every image is right, or a probability 0', () => {
    expect(fitTemperature([Float32Array.of(0.55, 0.45)], [0])).toBeCloseTo(1 / 20, 3);
    expect(fitTemperature([Float32Array.of(1, 0)], [1])).toBeCloseTo(20, 1);
  });
});

it('quantile is the value that a share of the values are below', () => {
  const values = Array.from({ length: 101 }, (_, i) => (i * 37) % 101);
  expect([0, 0.05, 1].map((share) => quantile(values, share))).toEqual([0, 5, 100]);
  expect(quantile([7], 0.05)).toBe(7);
});
