/** Tensor: other shapes of the same numbers, and choices among them. */
import { expect } from 'vitest';
import { arange, type Tensor, tensor, zeros } from '../../../src/tensor/index.js';
import { expectTensor, tensorOf } from '../tensors.js';
import type { TensorPromises } from './promises.js';

/** 0, 1, 2, … as float32. */
function counting(...shape: number[]): Tensor {
  const count = shape.reduce((product, length) => product * length, 1);
  return arange(count)
    .to('float32')
    .reshape(...shape);
}

const int64 = (...indices: number[]) => tensorOf(indices, 'int64');

export const shape = {
  reshape: {
    'keeps row-major order': () => {
      expectTensor(counting(2, 3).reshape(3, 2), [
        [0, 1],
        [2, 3],
        [4, 5],
      ]);
    },
    'works out one length of −1': () => {
      expect(counting(2, 6).reshape(3, -1).shape).toEqual([3, 4]);
    },
    'to no dimension takes one element': () => {
      expectTensor(tensorOf([[7]]).reshape(), 7);
    },
    'to another number of elements is refused': () => {
      expect(() => counting(2, 3).reshape(4)).toThrow(
        "aten::reshape(float32[2, 3], [4]): shape '[4]' is invalid for input of size 6",
      );
    },
  },
  flatten: {
    'merges all dimensions': () => {
      expectTensor(counting(2, 1, 2).flatten(), [0, 1, 2, 3]);
      expectTensor(tensorOf(5).flatten(), [5]);
    },
    'merges a range, also counted from the end': () => {
      expect(counting(2, 3, 4, 5).flatten(1).shape).toEqual([2, 60]);
      expect(counting(2, 3, 4, 5).flatten(1, 2).shape).toEqual([2, 12, 5]);
      expect(counting(2, 3, 4, 5).flatten(-3, -2).shape).toEqual([2, 12, 5]);
    },
  },
  permute: {
    'orders the dimensions anew': () => {
      const permuted = counting(2, 1, 3).permute(2, 0, 1);
      expectTensor(permuted, [
        [[0], [3]],
        [[1], [4]],
        [[2], [5]],
      ]);
      expectTensor(counting(2, 1, 3).permute(-1, -3, -2), [
        [[0], [3]],
        [[1], [4]],
        [[2], [5]],
      ]);
    },
  },
  transpose: {
    'exchanges two dimensions': () => {
      const transposed = [
        [0, 3],
        [1, 4],
        [2, 5],
      ];
      expectTensor(counting(2, 3).transpose(0, 1), transposed);
      expectTensor(counting(2, 3).transpose(-1, -2), transposed);
    },
  },
  unsqueeze: {
    'puts in a dimension of length 1': () => {
      expect(counting(2, 3).unsqueeze(0).shape).toEqual([1, 2, 3]);
      expect(counting(2, 3).unsqueeze(-1).shape).toEqual([2, 3, 1]);
    },
  },
  squeeze: {
    'takes out a dimension of length 1 and no other': () => {
      expect(counting(2, 1).squeeze(1).shape).toEqual([2]);
      expect(counting(1, 2, 1).squeeze(-1).shape).toEqual([1, 2]);
      expect(counting(2, 3).squeeze(0).shape).toEqual([2, 3]);
    },
  },
  expand: {
    'repeats a dimension of length 1': () => {
      expectTensor(tensorOf([[1], [2]]).expand(2, 3), [
        [1, 1, 1],
        [2, 2, 2],
      ]);
    },
    'keeps lengths of −1 and adds dimensions in front': () => {
      expect(counting(1, 3).expand(4, -1).shape).toEqual([4, 3]);
      expect(counting(3).expand(2, 3).shape).toEqual([2, 3]);
    },
  },
  narrow: {
    'views a range of a dimension': () => {
      expectTensor(counting(4).narrow(0, 1, 2), [1, 2]);
      expectTensor(counting(2, 3).narrow(-1, 2, 1), [[2], [5]]);
    },
    'shares memory': () => {
      const numbers = counting(3);
      numbers.narrow(0, 1, 1).fillInPlace(9);
      expectTensor(numbers, [0, 9, 2]);
    },
    'beyond the end is refused': () => {
      expect(() => counting(3).narrow(0, 2, 2)).toThrow('aten::narrow(float32[3], 0, 2, 2): ');
    },
  },
  split: {
    'cuts into parts of given lengths': () => {
      const parts = counting(5).split([1, 4]);
      expect(parts).toHaveLength(2);
      expectTensor(parts[0], [0]);
      expectTensor(parts[1], [1, 2, 3, 4]);
    },
    'cuts along any dimension, also into one part or an empty one': () => {
      expect(
        counting(2, 5)
          .split([2, 3], -1)
          .map((part) => part.shape),
      ).toEqual([
        [2, 2],
        [2, 3],
      ]);
      expect(
        counting(2)
          .split([2])
          .map((part) => part.shape),
      ).toEqual([[2]]);
      expect(
        counting(2)
          .split([0, 2])
          .map((part) => part.shape),
      ).toEqual([[0], [2]]);
    },
    'refuses lengths that do not add up': () => {
      expect(() => counting(5).split([2, 2])).toThrow('aten::split_with_sizes(float32[5], [2, 2], 0): ');
    },
  },
  indexSelect: {
    'copies entries in the order of the indices, repeated ones too': () => {
      expectTensor(counting(3, 2).indexSelect(0, int64(2, 0, 2)), [
        [4, 5],
        [0, 1],
        [4, 5],
      ]);
      expectTensor(counting(2, 3).indexSelect(-1, int64(1)), [[1], [4]]);
    },
    'with no indices is empty': () => {
      expect(counting(3, 2).indexSelect(0, int64()).shape).toEqual([0, 2]);
    },
    'outside the range is refused': () => {
      expect(() => counting(3).indexSelect(0, int64(3))).toThrow(
        'aten::index_select(float32[3], 0, int64[1]): index out of range',
      );
    },
  },
  gather: {
    'picks one element per index': () => {
      const indices = tensorOf([[2], [0]], 'int64');
      expectTensor(counting(2, 3).gather(1, indices), [[2], [3]]);
      expectTensor(counting(2, 3).gather(-1, indices), [[2], [3]]);
      expectTensor(counting(2, 3).gather(0, tensorOf([[1, 0, 1]], 'int64')), [[3, 1, 5]]);
    },
  },
  rotate90: {
    'turns the first dimension toward the second': () => {
      const rotated = counting(2, 3).rotate90(1, [0, 1]);
      expectTensor(rotated, [
        [2, 5],
        [1, 4],
        [0, 3],
      ]);
      expectTensor(counting(2, 3).rotate90(2, [0, 1]), [
        [5, 4, 3],
        [2, 1, 0],
      ]);
      expect(counting(2, 3).rotate90(4, [0, 1]).equals(counting(2, 3))).toBe(true);
    },
  },
  indexAdd: {
    'adds rows, repeated indices add up, and the tensor stays': () => {
      const target = zeros([3, 2]);
      expectTensor(
        target.indexAdd(
          0,
          int64(2, 0, 2),
          tensorOf([
            [1, 2],
            [3, 4],
            [10, 20],
          ]),
        ),
        [
          [3, 4],
          [0, 0],
          [11, 22],
        ],
      );
      expectTensor(target, [
        [0, 0],
        [0, 0],
        [0, 0],
      ]);
    },
    'adds columns along dimension 1': () => {
      expectTensor(zeros([2, 2]).indexAdd(1, int64(1), tensorOf([[5], [6]])), [
        [0, 5],
        [0, 6],
      ]);
    },
  },
  nonzero: {
    'lists the indices of the nonzero elements, row by row': () => {
      const found = tensorOf([
        [0, 5],
        [-1, 0],
      ]).nonzero();
      expectTensor(
        found,
        [
          [0, 1],
          [1, 0],
        ],
        { dtype: 'int64' },
      );
    },
    'of a bool tensor lists where it is true, and may be empty': () => {
      expectTensor(tensor(Uint8Array.of(0, 1, 1), [3], 'bool').nonzero(), [[1], [2]], { dtype: 'int64' });
      expect(zeros([3]).nonzero().shape).toEqual([0, 1]);
    },
  },
} satisfies TensorPromises;
