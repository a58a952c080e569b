/** Tensor: reductions, and the softmax. */
import { expect } from 'vitest';
import { tensor, zeros } from '../../../src/tensor/index.js';
import { expectTensor, tensorOf } from '../tensors.js';
import type { TensorPromises } from './promises.js';

const matrix = () =>
  tensorOf([
    [1, 5, 3],
    [6, 4, 2],
  ]);

export const reduction = {
  sum: {
    'adds all elements': () => {
      expectTensor(matrix().sum(), 21);
      expectTensor(zeros([0]).sum(), 0);
    },
    'adds along dimensions, also counted from the end, and keeps them on request': () => {
      expectTensor(matrix().sum([0]), [7, 9, 5]);
      expectTensor(matrix().sum([-1]), [9, 12]);
      expectTensor(matrix().sum([1], true), [[9], [12]]);
      expectTensor(matrix().sum([0, 1]), 21);
    },
    'counts what is true as int64': () => {
      expectTensor(matrix().gt(2).sum(), 4, { dtype: 'int64' });
    },
  },
  mean: {
    'averages all elements or along dimensions': () => {
      expectTensor(matrix().mean(), 3.5);
      expectTensor(matrix().mean([0]), [3.5, 4.5, 2.5]);
      expectTensor(matrix().mean([-1], true), [[3], [4]]);
    },
    'of nothing is not a number': () => {
      expectTensor(zeros([0]).mean(), NaN);
    },
    'of integers is refused': () => {
      expect(() => tensor(Int32Array.of(1, 2)).mean()).toThrow('aten::mean(int32[2], none): ');
    },
  },
  amax: {
    'is the greatest along a dimension': () => {
      expectTensor(matrix().amax(0), [6, 5, 3]);
      expectTensor(matrix().amax(-1), [5, 6]);
      expectTensor(matrix().amax(1, true), [[5], [6]]);
    },
  },
  amin: {
    'is the smallest along a dimension': () => {
      expectTensor(matrix().amin(0), [1, 4, 2]);
      expectTensor(matrix().amin(-1, true), [[1], [2]]);
    },
  },
  argmax: {
    'is where the greatest is': () => {
      expectTensor(matrix().argmax(0), [1, 0, 0], { dtype: 'int64' });
      expectTensor(matrix().argmax(-1), [1, 0], { dtype: 'int64' });
    },
  },
  argmin: {
    'is where the smallest is': () => {
      expectTensor(matrix().argmin(0), [0, 1, 1], { dtype: 'int64' });
      expectTensor(matrix().argmin(-1), [0, 2], { dtype: 'int64' });
    },
  },
  countEach: {
    'counts every number from 0, and at least as many as asked for': () => {
      expectTensor(tensorOf([1, 3, 1], 'int64').countEach(0), [0, 2, 0, 1], { dtype: 'int64' });
      expectTensor(tensorOf([1], 'int64').countEach(4), [0, 1, 0, 0], { dtype: 'int64' });
    },
    'refuses negative numbers': () => {
      expect(() => tensorOf([-1], 'int64').countEach(2)).toThrow('aten::bincount(');
    },
  },
  topk: {
    'gives the greatest in falling order and where they are': () => {
      const { values, indices } = matrix().topk(2);
      expectTensor(values, [
        [5, 3],
        [6, 4],
      ]);
      expectTensor(
        indices,
        [
          [1, 2],
          [0, 1],
        ],
        { dtype: 'int64' },
      );
    },
    'works along any dimension': () => {
      expectTensor(matrix().topk(1, 0).values, [[6, 5, 3]]);
    },
    'of more than there are is refused': () => {
      expect(() => matrix().topk(4)).toThrow('aten::topk(float32[2, 3], 4, -1, True, True): ');
    },
  },
  norm: {
    'is the root of the sum of squares along dimensions': () => {
      const vectors = tensorOf([
        [3, 4],
        [0, 0],
      ]);
      expectTensor(vectors.norm([1]), [5, 0]);
      expectTensor(vectors.norm([-1], true), [[5], [0]]);
      expectTensor(vectors.norm([0, 1]), 5);
    },
  },
  softmax: {
    'is exponentials that sum to 1 along a dimension': () => {
      const logits = tensorOf([[0, Math.log(3)]]);
      expectTensor(logits.softmax(1), [[0.25, 0.75]]);
      expectTensor(logits.softmax(-1), [[0.25, 0.75]]);
      expectTensor(logits.softmax(0), [[1, 1]]);
    },
    'does not overflow': () => {
      expectTensor(tensorOf([1000, 1000, -1000]).softmax(0), [0.5, 0.5, 0]);
    },
  },
  logSoftmax: {
    'is the logarithm of the softmax': () => {
      expectTensor(tensorOf([[0, Math.log(3)]]).logSoftmax(-1), [[Math.log(0.25), Math.log(0.75)]]);
    },
    'does not underflow': () => {
      expectTensor(tensorOf([1000, 0]).logSoftmax(0), [0, -1000]);
    },
  },
} satisfies TensorPromises;
