import { beforeAll, describe, expect, it } from 'vitest';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { setThreads, type Tensor } from '../tensor/index.js';
import { fixedThresholdMask, SelfAdaptiveThreshold } from './confidence-threshold.js';

beforeAll(() => setThreads(1));

describe('a fixed threshold', () => {
  it('lets rows count whose greatest probability reaches it', () => {
    const probabilities = tensorOf([
      [0.75, 0.25],
      [0.26, 0.74],
      [0, 1],
    ]);
    expectTensor(fixedThresholdMask(probabilities, 0.75), [1, 0, 1]);
    expectTensor(fixedThresholdMask(probabilities, 0), [1, 1, 1]);
    expectTensor(fixedThresholdMask(probabilities, 1), [0, 0, 1]);
  });
});

describe('a self-adaptive threshold', () => {
  const state = (threshold: SelfAdaptiveThreshold, name: string) => threshold.state().get(name) as Tensor;

  it('starts at 1/C for every class', () => {
    const threshold = new SelfAdaptiveThreshold(4, 0.9);
    expectTensor(state(threshold, 'confidence'), 0.25);
    expectTensor(state(threshold, 'expectation'), [0.25, 0.25, 0.25, 0.25]);
  });

  it('follows the mean confidence, and is lower for classes that are predicted less', () => {
    const threshold = new SelfAdaptiveThreshold(2, 0.5);
    const mask = threshold.mask(
      tensorOf([
        [0.9, 0.1],
        [0.6, 0.4],
        [0.6, 0.4],
        [0.5, 0.5],
        [0.4, 0.6],
      ]),
    );
    // confidences 0.9, 0.6, 0.6, 0.5, 0.6: mean 0.64. τ = ½ · ½ + ½ · 0.64 = 0.57
    expectTensor(state(threshold, 'confidence'), 0.57);
    // mean prediction (0.6, 0.4). p̃ = (0.55, 0.45), so that the thresholds are 0.57 and 0.57 · 0.45 / 0.55 = 0.466
    expectTensor(state(threshold, 'expectation'), [0.55, 0.45]);
    expectTensor(mask, [1, 1, 1, 0, 1]);
  });

  it('lets an unsure row of a rare class count where one of a frequent class does not', () => {
    const threshold = new SelfAdaptiveThreshold(2, 0);
    // τ = mean of 1, 1, 0.6, 0.6 = 0.8; p̃ = (0.75, 0.25): thresholds 0.8 and 0.27
    const mask = threshold.mask(
      tensorOf([
        [1, 0],
        [1, 0],
        [0.6, 0.4],
        [0.4, 0.6],
      ]),
    );
    expectTensor(mask, [1, 1, 0, 1]);
  });

  it('remembers earlier batches', () => {
    const threshold = new SelfAdaptiveThreshold(2, 0.75);
    threshold.mask(tensorOf([[0.9, 0.1]]));
    threshold.mask(tensorOf([[0.7, 0.3]]));
    expectTensor(state(threshold, 'confidence'), 0.75 * (0.75 * 0.5 + 0.25 * 0.9) + 0.25 * 0.7);
    expect(state(threshold, 'expectation').sum().item()).toBeCloseTo(1, 6);
  });
});
