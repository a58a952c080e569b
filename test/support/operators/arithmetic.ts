/** Tensor: arithmetic, and what changes in place. */
import { expect } from 'vitest';
import { noGrad, ones, type Tensor, tensor, zeros } from '../../../src/tensor/index.js';
import { expectTensor, tensorOf } from '../tensors.js';
import type { TensorPromises } from './promises.js';

const matrix = () =>
  tensorOf([
    [1, 2],
    [3, 4],
  ]);
const row = () => tensorOf([10, 20]);
const column = () => tensorOf([[10], [20]]);
const integers = () => tensor(BigInt64Array.of(6n, -7n));

export const arithmetic = {
  add: {
    'broadcasts rows, columns and scalars': () => {
      expectTensor(matrix().add(row()), [
        [11, 22],
        [13, 24],
      ]);
      expectTensor(matrix().add(column()), [
        [11, 12],
        [23, 24],
      ]);
      expectTensor(row().add(column()), [
        [20, 30],
        [30, 40],
      ]);
      expectTensor(matrix().add(tensorOf(0.5)), [
        [1.5, 2.5],
        [3.5, 4.5],
      ]);
    },
    'takes a number': () => {
      expectTensor(row().add(-0.5), [9.5, 19.5]);
    },
    'keeps integers integer with an integer, and makes them floats with a fraction': () => {
      expectTensor(integers().add(1), [7, -6], { dtype: 'int64' });
      expectTensor(integers().add(0.5), [6.5, -6.5]);
    },
    'promotes to the wider type': () => {
      expectTensor(tensorOf([1], 'float64').add(tensorOf([2])), [3], { dtype: 'float64' });
      expectTensor(integers().add(tensorOf([0.25, 0.25])), [6.25, -6.75]);
      expectTensor(tensorOf([1, 0], 'bool').add(tensorOf([1, 1], 'uint8')), [2, 1], { dtype: 'uint8' });
    },
    'of empty tensors is empty': () => {
      expect(zeros([0, 2]).add(row()).shape).toEqual([0, 2]);
    },
    'refuses shapes that do not broadcast, and names them': () => {
      expect(() => matrix().add(zeros([3]))).toThrow(
        'aten::add(float32[2, 2], float32[3], 1): The size of tensor a (2) must match the size of tensor b (3)',
      );
    },
  },
  sub: {
    'subtracts, broadcasting': () => {
      expectTensor(matrix().sub(row()), [
        [-9, -18],
        [-7, -16],
      ]);
      expectTensor(row().sub(1.5), [8.5, 18.5]);
    },
  },
  mul: {
    'multiplies element by element, broadcasting': () => {
      expectTensor(matrix().mul(column()), [
        [10, 20],
        [60, 80],
      ]);
      expectTensor(row().mul(0.25), [2.5, 5]);
      expectTensor(integers().mul(-2), [-12, 14], { dtype: 'int64' });
    },
  },
  div: {
    'divides, and integers become floats': () => {
      expectTensor(matrix().div(row()), [
        [0.1, 0.1],
        [0.3, 0.2],
      ]);
      expectTensor(integers().div(4), [1.5, -1.75]);
    },
    'by zero is infinite or not a number': () => {
      expectTensor(tensorOf([1, -1, 0]).div(0), [Infinity, -Infinity, NaN]);
    },
  },
  pow: {
    'raises to a whole or fractional power': () => {
      expectTensor(tensorOf([2, -3]).pow(3), [8, -27]);
      expectTensor(tensorOf([4, 2]).pow(-0.5), [0.5, Math.SQRT1_2]);
      expectTensor(integers().pow(2), [36, 49], { dtype: 'int64' });
    },
  },
  neg: {
    'changes the sign': () => {
      expectTensor(tensorOf([1.5, -2]).neg(), [-1.5, 2]);
    },
  },
  abs: {
    'drops the sign': () => {
      expectTensor(integers().abs(), [6, 7], { dtype: 'int64' });
      expectTensor(tensorOf([-0.5, 0.5]).abs(), [0.5, 0.5]);
    },
  },
  exp: {
    'is e to the power of each element': () => {
      expectTensor(tensorOf([0, 1, -2, -Infinity]).exp(), [1, Math.E, Math.exp(-2), 0]);
    },
  },
  log: {
    'is the natural logarithm': () => {
      expectTensor(tensorOf([1, Math.E, 0.1, 0, -1]).log(), [0, 1, Math.log(0.1), -Infinity, NaN]);
    },
  },
  sqrt: {
    'is the square root': () => {
      expectTensor(tensorOf([0, 2, 9, -1]).sqrt(), [0, Math.SQRT2, 3, NaN]);
    },
  },
  clamp: {
    'limits on both sides or one': () => {
      const numbers = tensorOf([-2, 0.5, 3]);
      expectTensor(numbers.clamp(-1, 1), [-1, 0.5, 1]);
      expectTensor(numbers.clamp(0, null), [0, 0.5, 3]);
      expectTensor(numbers.clamp(null, 0.25), [-2, 0.25, 0.25]);
    },
    'without any limit is refused': () => {
      expect(() => tensorOf([1]).clamp(null, null)).toThrow('aten::clamp(float32[1], none, none): ');
    },
  },
  matmul: {
    'multiplies matrices': () => {
      expectTensor(
        matrix().matmul(
          tensorOf([
            [5, 6, 7],
            [8, 9, 10],
          ]),
        ),
        [
          [21, 24, 27],
          [47, 54, 61],
        ],
      );
    },
    'takes vectors on either side': () => {
      expectTensor(matrix().matmul(row()), [50, 110]);
      expectTensor(row().matmul(matrix()), [70, 100]);
      expectTensor(row().matmul(row()), 500);
    },
    'is batched over leading dimensions, which broadcast': () => {
      const batch = tensorOf([
        [
          [1, 0],
          [0, 1],
        ],
        [
          [0, 1],
          [1, 0],
        ],
      ]);
      expectTensor(batch.matmul(matrix()), [
        [
          [1, 2],
          [3, 4],
        ],
        [
          [3, 4],
          [1, 2],
        ],
      ]);
      expect(zeros([5, 1, 2, 3]).matmul(zeros([4, 3, 6])).shape).toEqual([5, 4, 2, 6]);
    },
    'over an inner length of 0 gives zeros': () => {
      expectTensor(zeros([1, 0]).matmul(zeros([0, 2])), [[0, 0]]);
    },
    'refuses inner lengths that differ, and names the shapes': () => {
      expect(() => matrix().matmul(zeros([3, 2]))).toThrow('aten::matmul(float32[2, 2], float32[3, 2]): ');
    },
  },
  eigh: {
    'gives eigenvalues in rising order, and eigenvectors as columns': () => {
      // reads the lower triangle alone: [[2, 1], [1, 2]]
      const { values, vectors } = tensorOf([
        [2, 99],
        [1, 2],
      ]).eigh();
      expectTensor(values, [1, 3]);
      expectTensor(vectors.mul(vectors), [
        [0.5, 0.5],
        [0.5, 0.5],
      ]);
      const [[a, b], [c, d]] = [vectors.numbers().slice(0, 2), vectors.numbers().slice(2)];
      expect(a * c).toBeCloseTo(-0.5, 6); // (1, −1)/√2
      expect(b * d).toBeCloseTo(0.5, 6); // (1, 1)/√2
    },
    'refuses what is not square': () => {
      expect(() => zeros([2, 3]).eigh()).toThrow('aten::linalg_eigh(float32[2, 3]');
    },
  },
  relu: {
    'keeps what is positive': () => {
      expectTensor(tensorOf([-1, 0, 2, NaN]).relu(), [0, 0, 2, NaN]);
    },
  },
  leakyRelu: {
    'scales what is negative': () => {
      expectTensor(tensorOf([-2, 0, 2]).leakyRelu(0.1), [-0.2, 0, 2]);
      expectTensor(tensorOf([-2, 2]).leakyRelu(0), [0, 2]);
    },
  },
  addInPlace: {
    'adds a tensor, broadcast and scaled, or a number': () => {
      expectTensor(matrix().addInPlace(row()), [
        [11, 22],
        [13, 24],
      ]);
      expectTensor(matrix().addInPlace(row(), -0.1), [
        [0, 0],
        [2, 2],
      ]);
      expectTensor(row().addInPlace(3), [13, 23]);
      expectTensor(row().addInPlace(3, 2), [16, 26]);
    },
    ...inPlacePromises((target) => target.addInPlace(1), 2),
  },
  mulInPlace: {
    'multiplies by a tensor, broadcast, or a number': () => {
      expectTensor(matrix().mulInPlace(row()), [
        [10, 40],
        [30, 80],
      ]);
      expectTensor(row().mulInPlace(0.5), [5, 10]);
    },
    ...inPlacePromises((target) => target.mulInPlace(3), 3),
  },
  indexCopyInPlace: {
    'replaces the entries at the indices, and no other': () => {
      const target = tensorOf([1, 2, 3]);
      expect(target.indexCopyInPlace(0, tensorOf([2, 0], 'int64'), tensorOf([30, 10]))).toBe(target);
      expectTensor(target, [10, 2, 30]);
    },
    'refuses an index that does not exist': () => {
      expect(() => row().indexCopyInPlace(0, tensorOf([2], 'int64'), tensorOf([5]))).toThrow(
        'aten::index_copy_(',
      );
    },
  },
  copyInPlace: {
    'copies numbers, converting and broadcasting them': () => {
      expectTensor(matrix().copyInPlace(tensor(Int32Array.of(7, 8))), [
        [7, 8],
        [7, 8],
      ]);
    },
    'refuses another shape': () => {
      expect(() => row().copyInPlace(zeros([3]))).toThrow('aten::copy_(float32[2], float32[3], False): ');
    },
    ...inPlacePromises((target) => target.copyInPlace(tensorOf([5, 5])), 5),
  },
  fillInPlace: {
    'sets every element': () => {
      expectTensor(matrix().fillInPlace(-0.5), [
        [-0.5, -0.5],
        [-0.5, -0.5],
      ]);
    },
    ...inPlacePromises((target) => target.fillInPlace(4), 4),
  },
} satisfies TensorPromises;

/** @param change turns each element 1 of a tensor of two into `result` */
function inPlacePromises(change: (target: Tensor) => Tensor, result: number) {
  return {
    'returns the tensor itself': () => {
      const target = ones([2]);
      expect(change(target)).toBe(target);
    },
    'is seen through every view': () => {
      const whole = ones([3]);
      change(whole.narrow(0, 1, 2));
      expectTensor(whole, [1, result, result]);
    },
    'refuses a parameter, except within noGrad': () => {
      const parameter = ones([2]);
      parameter.requiresGrad = true;
      expect(() => change(parameter)).toThrow(
        /^aten::\w+_\(float32\[2\].*a leaf Variable that requires grad/,
      );
      noGrad(() => change(parameter));
      expectTensor(parameter, [result, result]);
    },
  };
}
