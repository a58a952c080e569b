/** Tensor: comparison. */
import { expect } from 'vitest';
import { zeros } from '../../../src/tensor/index.js';
import { expectTensor, tensorOf } from '../tensors.js';
import type { TensorPromises } from './promises.js';

const matrix = () =>
  tensorOf([
    [1, 2],
    [3, 4],
  ]);
const row = () => tensorOf([10, 20]);

export const comparison = {
  eq: {
    'is true where equal, never for NaN': () => {
      expectTensor(
        matrix().eq(tensorOf([1, 4])),
        [
          [1, 0],
          [0, 1],
        ],
        { dtype: 'bool' },
      );
      expectTensor(tensorOf([1, 2, NaN]).eq(2), [0, 1, 0], { dtype: 'bool' });
      expectTensor(tensorOf([NaN]).eq(tensorOf([NaN])), [0], { dtype: 'bool' });
    },
  },
  equals: {
    'is true for the same shape and numbers, in any layout': () => {
      expect(matrix().equals(matrix())).toBe(true);
      expect(matrix().equals(matrix().transpose(0, 1).contiguous().transpose(0, 1))).toBe(true);
      expect(zeros([0]).equals(zeros([0]))).toBe(true);
    },
    'is false for other numbers, another shape, and NaN': () => {
      expect(matrix().equals(matrix().add(1))).toBe(false);
      expect(row().equals(row().reshape(1, 2))).toBe(false);
      expect(tensorOf([NaN]).equals(tensorOf([NaN]))).toBe(false);
    },
  },
  gt: {
    'is true where greater': () => {
      expectTensor(tensorOf([1, 2, 3]).gt(2), [0, 0, 1], { dtype: 'bool' });
      expectTensor(tensorOf([1, 2, 3]).gt(tensorOf([3, 2, 1])), [0, 0, 1], { dtype: 'bool' });
    },
  },
  ge: {
    'is true where greater or equal': () => {
      expectTensor(tensorOf([1, 2, 3]).ge(2), [0, 1, 1], { dtype: 'bool' });
      expectTensor(tensorOf([1, 2, 3]).ge(tensorOf([3, 2, 1])), [0, 1, 1], { dtype: 'bool' });
    },
  },
  lt: {
    'is true where less': () => {
      expectTensor(tensorOf([1, 2, 3]).lt(2), [1, 0, 0], { dtype: 'bool' });
      expectTensor(tensorOf([1, 2, 3]).lt(tensorOf([3, 2, 1])), [1, 0, 0], { dtype: 'bool' });
    },
  },
} satisfies TensorPromises;
