import { beforeAll, expect, it } from 'vitest';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { BatchNorm2d } from '../nn/index.js';
import { setThreads, type Tensor, tidy } from '../tensor/index.js';
import { forwardInterleaved } from './interleave.js';

beforeAll(() => setThreads(1));

it('rows come back in their order, however many parts there are', () => {
  tidy(() => {
    const rows = tensorOf([[0], [1], [2], [3], [4], [5], [6]]);
    for (const parts of [1, 2, 3, 7]) {
      expectTensor(
        forwardInterleaved((part) => part.mul(10), rows, parts),
        [[0], [10], [20], [30], [40], [50], [60]],
      );
    }
  });
});

it('each part has every n-th row', () => {
  tidy(() => {
    const seen: number[][] = [];
    const forward = (part: Tensor) => {
      seen.push(part.numbers());
      return part;
    };
    forwardInterleaved(forward, tensorOf([0, 1, 2, 3, 4, 5, 6]), 3);
    expect(seen).toEqual([
      [0, 3, 6],
      [1, 4],
      [2, 5],
    ]);
  });
});

it('only the first part moves the running statistics', () => {
  tidy(() => {
    const norm = new BatchNorm2d(1, { momentum: 1 });
    const rows = tensorOf([1, 100, 3, 300]).reshape(4, 1, 1, 1);
    forwardInterleaved((part) => norm.forward(part), rows, 2);
    expectTensor(norm.running_mean, [2]);
    expect(norm.training).toBe(true);
  });
});
