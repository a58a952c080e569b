import { beforeAll, describe, expect, it } from 'vitest';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { liveTensors, setThreads, type Tensor, tidy } from '../tensor/index.js';
import { DistributionAlignment } from './distribution-alignment.js';
import { MovingAverage } from './moving-average.js';

beforeAll(() => setThreads(1));

const alignmentTo = (expected: readonly number[], decay: number) =>
  new DistributionAlignment(expected, new MovingAverage([2], { decay, start: 0.5 }));

const mean = (alignment: DistributionAlignment) => alignment.state().get('mean') as Tensor;

describe('distribution alignment', () => {
  it('scales each class by how much rarer the predictions have it than expected', () => {
    const alignment = alignmentTo([0.5, 0.5], 0.75);
    // p̄ = ¾ · (½, ½) + ¼ · (0.9, 0.1) = (0.6, 0.4); ratios ½/p̄ = (5/6, 5/4)
    const aligned = alignment.align(
      tensorOf([
        [1, 0],
        [0.8, 0.2],
      ]),
    );
    expectTensor(mean(alignment), [0.6, 0.4]);
    // (0.8 · 5/6, 0.2 · 5/4) = (2/3, 1/4), whose sum is 11/12
    expectTensor(aligned, [
      [1, 0],
      [8 / 11, 3 / 11],
    ]);
  });

  it('remembers the predictions of earlier batches', () => {
    const alignment = alignmentTo([0.5, 0.5], 0.75);
    alignment.align(tensorOf([[0.9, 0.1]]));
    alignment.align(tensorOf([[0.5, 0.5]]));
    expectTensor(mean(alignment), [0.75 * 0.6 + 0.25 * 0.5, 0.75 * 0.4 + 0.25 * 0.5]);
  });

  it('aims at the expected distribution, which need not be even', () => {
    const alignment = alignmentTo([0.8, 0.2], 0.5);
    // p̄ stays (½, ½): ratios (1.6, 0.4)
    expectTensor(alignment.align(tensorOf([[0.5, 0.5]])), [[0.8, 0.2]]);
  });

  it('leaves predictions alone whose mean is as expected', () => {
    const alignment = alignmentTo([0.5, 0.5], 0.9);
    const probabilities = [
      [0.3, 0.7],
      [0.7, 0.3],
    ];
    expectTensor(alignment.align(tensorOf(probabilities)), probabilities);
  });

  it('stays finite for a class that is never predicted', () => {
    const alignment = alignmentTo([0.5, 0.5], 0);
    expectTensor(alignment.align(tensorOf([[1, 0]])), [[1, 0]]);
  });

  it('makes no tensor that stays but the result', () => {
    const alignment = alignmentTo([0.5, 0.5], 0.9);
    tidy(() => {
      const probabilities = tensorOf([[0.3, 0.7]]);
      const before = liveTensors();
      alignment.align(probabilities);
      expect(liveTensors()).toBe(before + 1);
    });
  });
});
