/** Tensor: what it is, its numbers out, its type, its layout. */
import { expect } from 'vitest';
import { ones, Tensor, tensor, zeros } from '../../../src/tensor/index.js';
import { expectTensor, tensorOf } from '../tensors.js';
import type { TensorPromises } from './promises.js';

export const conversion = {
  handle: {
    'is what another Tensor can be made of': () => {
      const original = tensorOf([1, 2]);
      expectTensor(new Tensor(original.handle), [1, 2]);
    },
  },
  shape: {
    'lists the lengths of the dimensions': () => {
      expect(zeros([2, 3, 4]).shape).toEqual([2, 3, 4]);
      expect(zeros([]).shape).toEqual([]);
      expect(zeros([0, 3]).shape).toEqual([0, 3]);
    },
  },
  strides: {
    'tell how far apart neighbors are in memory': () => {
      expect(zeros([2, 3, 4]).strides).toEqual([12, 4, 1]);
      expect(zeros([2, 3, 4]).permute(2, 0, 1).strides).toEqual([1, 12, 4]);
      expect(zeros([1, 3]).expand(2, 3).strides).toEqual([0, 1]);
    },
  },
  dtype: {
    'names the type of the elements': () => {
      expect(zeros([1]).dtype).toBe('float32');
      expect(zeros([1], { dtype: 'bfloat16' }).dtype).toBe('bfloat16');
      expect(zeros([1]).eq(0).dtype).toBe('bool');
    },
  },
  device: {
    'names where the tensor lives': () => {
      expect(zeros([1]).device).toBe('cpu');
    },
  },
  isChannelsLast: {
    'is true for images stored as N, H, W, C': () => {
      const images = zeros([2, 3, 4, 5]);
      expect(images.isChannelsLast).toBe(false);
      expect(images.contiguous('channels-last').isChannelsLast).toBe(true);
      expect(zeros([2, 4, 5, 3]).permute(0, 3, 1, 2).isChannelsLast).toBe(true);
    },
  },
  size: {
    'is the number of elements': () => {
      expect([zeros([2, 3, 4]), zeros([]), zeros([3, 0])].map((each) => each.size)).toEqual([24, 1, 0]);
    },
  },
  isDisposed: {
    'turns true with dispose()': () => {
      const numbers = zeros([1]);
      expect(numbers.isDisposed).toBe(false);
      numbers.dispose();
      expect(numbers.isDisposed).toBe(true);
    },
  },
  dispose: {
    'leaves other views of the same memory alone': () => {
      const matrix = tensorOf([[1, 2]]);
      const view = matrix.reshape(2);
      matrix.dispose();
      expectTensor(view, [1, 2]);
    },
  },
  data: {
    'is row-major whatever the layout': () => {
      const matrix = tensor(Int32Array.of(1, 2, 3, 4, 5, 6), [2, 3]);
      expect(matrix.transpose(0, 1).data()).toEqual(Int32Array.of(1, 4, 2, 5, 3, 6));
      expect(matrix.narrow(1, 1, 2).data()).toEqual(Int32Array.of(2, 3, 5, 6));
      expect(tensor(Int32Array.of(7, 8), [2, 1]).expand(2, 2).data()).toEqual(Int32Array.of(7, 7, 8, 8));
    },
    'of channels-last images is in N, C, H, W order': () => {
      const numbers = Float32Array.from({ length: 24 }, (_, i) => i);
      expect(tensor(numbers, [1, 2, 3, 4]).contiguous('channels-last').data()).toEqual(numbers);
    },
    'is a copy': () => {
      const numbers = tensorOf([1, 2]);
      numbers.data()[0] = 9;
      expectTensor(numbers, [1, 2]);
    },
    'of a tensor that requires a gradient can be read': () => {
      const parameter = tensorOf([1, 2]);
      parameter.requiresGrad = true;
      expect(parameter.mul(2).data()).toEqual(Float32Array.of(2, 4));
    },
  },
  numbers: {
    'are JavaScript numbers, whatever the type': () => {
      expect(tensor(BigInt64Array.of(-5n, 2n ** 40n)).numbers()).toEqual([-5, 2 ** 40]);
      expect(tensorOf([1, 0], 'bool').numbers()).toEqual([1, 0]);
      expect(tensorOf([[0.5, -1.5]], 'bfloat16').numbers()).toEqual([0.5, -1.5]);
    },
    'are in row-major order': () => {
      const matrix = tensorOf([
        [1, 2],
        [3, 4],
      ]);
      expect(matrix.transpose(0, 1).numbers()).toEqual([1, 3, 2, 4]);
    },
  },
  item: {
    'is the value of the one element': () => {
      expect(tensorOf(1.5).item()).toBe(1.5);
      expect(tensorOf([[-3]], 'int64').item()).toBe(-3);
      expect(tensorOf([1], 'bool').item()).toBe(1);
    },
    'refuses more than one element': () => {
      expect(() => tensorOf([1, 2]).item()).toThrow('item(): ');
      expect(() => tensorOf([1, 2]).item()).toThrow('2 elements');
    },
  },
  to: {
    'converts between floating-point, integer and bool types': () => {
      const numbers = tensorOf([-1.75, 0, 2.5]);
      expectTensor(numbers.to('int64'), [-1, 0, 2], { dtype: 'int64' });
      expectTensor(numbers.to('bool'), [1, 0, 1], { dtype: 'bool' });
      expectTensor(numbers.to('float64'), [-1.75, 0, 2.5], { dtype: 'float64' });
      expectTensor(tensorOf([1, 0], 'bool').to('float32'), [1, 0]);
    },
    'rounds to the nearest 16-bit float': () => {
      expectTensor(tensorOf([1.001, 65504]).to('float16'), [1.0009765625, 65504], { dtype: 'float16' });
      expectTensor(tensorOf([1.001, 1.006]).to('bfloat16'), [1, 1.0078125], { dtype: 'bfloat16' });
    },
    'the same type shares the memory': () => {
      const numbers = tensorOf([1, 2]);
      numbers.to('float32').fillInPlace(7);
      expectTensor(numbers, [7, 7]);
    },
  },
  toDevice: {
    'keeps numbers and type': () => {
      expectTensor(tensorOf([1, 2], 'int32').toDevice('cpu'), [1, 2], { dtype: 'int32' });
    },
    'refuses what is not a device': () => {
      expect(() => zeros([1]).toDevice('gpu')).toThrow(
        "a device is 'cpu', 'cuda' or 'cuda:<index>', not 'gpu'",
      );
    },
  },
  contiguous: {
    'copies a transposed matrix into row-major order': () => {
      const transposed = tensorOf([
        [1, 2],
        [3, 4],
      ]).transpose(0, 1);
      const contiguous = transposed.contiguous();
      expect([transposed.strides, contiguous.strides]).toEqual([
        [1, 2],
        [2, 1],
      ]);
      expectTensor(contiguous, [
        [1, 3],
        [2, 4],
      ]);
    },
    'goes to channels-last and back without changing a number': () => {
      const images = tensor(
        Float32Array.from({ length: 2 * 3 * 4 * 5 }, (_, i) => i),
        [2, 3, 4, 5],
      );
      const channelsLast = images.contiguous('channels-last');
      expect(channelsLast.strides).toEqual([60, 1, 15, 3]);
      expect(channelsLast.shape).toEqual([2, 3, 4, 5]);
      expect(channelsLast.permute(0, 2, 3, 1).reshape(-1).numbers().slice(0, 6)).toEqual([
        0, 20, 40, 1, 21, 41,
      ]);
      const back = channelsLast.contiguous();
      expect(back.isChannelsLast).toBe(false);
      expect(back.data()).toEqual(images.data());
    },
    'channels-last refuses what is not a batch of images': () => {
      expect(() => ones([2, 3]).contiguous('channels-last')).toThrow('aten::contiguous(float32[2, 3]');
    },
  },
  clone: {
    'has its own memory': () => {
      const original = tensorOf([1, 2]);
      original.clone().fillInPlace(9);
      expectTensor(original, [1, 2]);
    },
    'keeps channels-last': () => {
      expect(zeros([2, 3, 4, 4]).contiguous('channels-last').clone().isChannelsLast).toBe(true);
    },
  },
} satisfies TensorPromises;
