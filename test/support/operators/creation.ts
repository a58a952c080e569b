/** The functions of create.ts. */
import { expect } from 'vitest';
import type * as create from '../../../src/tensor/create.js';
import {
  arange,
  bernoulli,
  concatenate,
  full,
  Generator,
  multinomial,
  normal,
  oneHot,
  ones,
  randomPermutation,
  sampleBeta,
  scalar,
  stack,
  tensor,
  uniform,
  where,
  zeros,
} from '../../../src/tensor/index.js';
import { expectTensor, tensorOf } from '../tensors.js';
import type { Promises } from './promises.js';

export const creation = {
  tensor: {
    'of an array of numbers is float32, and one-dimensional by default': () => {
      expectTensor(tensor([1, 2.5]), [1, 2.5]);
      expectTensor(tensor([1, 2, 3, 4], [2, 2]), [
        [1, 2],
        [3, 4],
      ]);
    },
    'of an array of numbers takes the given type': () => {
      expectTensor(tensor([1, 2], [2], 'int64'), [1, 2], { dtype: 'int64' });
      expectTensor(tensor([1, 0], [2], 'bool'), [1, 0], { dtype: 'bool' });
      expectTensor(tensor([0.1], [1], 'float64'), [0.1], { dtype: 'float64', tolerance: 0 });
    },
    'of a typed array converts the numbers when another type is named': () => {
      expectTensor(tensor(Float32Array.of(1.5, -2), [2], 'int32'), [1, -2], { dtype: 'int32' });
      expectTensor(tensor(Uint8Array.of(0, 1, 255), [3], 'float32'), [0, 1, 255]);
      expectTensor(tensor(Float64Array.of(0.5), [1], 'float16'), [0.5], { dtype: 'float16' });
    },
    'of bytes other than 0 as bool is true': () => {
      expect(tensor(Uint8Array.of(0, 1, 2), [3], 'bool').data()).toEqual(Uint8Array.of(0, 1, 1));
    },
    'copies: later changes of the array do not show': () => {
      const array = Float32Array.of(1, 2);
      const copy = tensor(array);
      array[0] = 9;
      expectTensor(copy, [1, 2]);
    },
    'may be empty, also with a shape': () => {
      expectTensor(tensor([]), []);
      expectTensor(tensor(new Float32Array(0)), []);
      expect(tensor([], [0, 3]).shape).toEqual([0, 3]);
    },
    'of one number in the empty shape has no dimensions': () => {
      expectTensor(tensor([3], []), 3);
    },
    'refuses a shape that does not fit, and says both sizes': () => {
      expect(() => tensor([1, 2, 3], [2, 2])).toThrow(
        'a tensor of shape [2, 2] has 4 elements, but 3 were given',
      );
      expect(() => tensor(Float32Array.of(1, 2), [])).toThrow(RangeError);
      expect(() => tensor([1, 2], [-1, -2])).toThrow('negative dimension');
    },
    'refuses arrays whose elements libtorch does not know': () => {
      expect(() => tensor(Uint16Array.of(1))).toThrow('name the dtype, float16 or bfloat16');
      const unsigned = Uint32Array.of(1) as unknown as Int32Array; // what a caller in JavaScript might do
      expect(() => tensor(unsigned)).toThrow('no type for the elements of a Uint32Array');
    },
  },
  scalar: {
    'has no dimensions': () => {
      expectTensor(scalar(1.5), 1.5);
      expectTensor(scalar(-2, 'int64'), -2, { dtype: 'int64' });
    },
  },
  full: {
    'repeats a value': () => {
      expectTensor(full([2, 2], 0.5), [
        [0.5, 0.5],
        [0.5, 0.5],
      ]);
      expectTensor(full([2], 3, { dtype: 'int32' }), [3, 3], { dtype: 'int32' });
      expectTensor(full([], -Infinity), -Infinity);
    },
    'refuses what is not a device': () => {
      expect(() => full([1], 0, { device: 'gpu' })).toThrow("a device is 'cpu', 'cuda' or 'cuda:<index>'");
    },
  },
  zeros: {
    'is 0 everywhere': () => {
      expectTensor(zeros([1, 2]), [[0, 0]]);
      expectTensor(zeros([2], { dtype: 'bool' }), [0, 0], { dtype: 'bool' });
    },
  },
  ones: {
    'is 1 everywhere': () => {
      expectTensor(ones([1, 2], { dtype: 'float64', device: 'cpu' }), [[1, 1]], { dtype: 'float64' });
    },
  },
  arange: {
    'counts from 0': () => {
      expectTensor(arange(4), [0, 1, 2, 3], { dtype: 'int64' });
      expectTensor(arange(0), [], { dtype: 'int64' });
    },
  },
  // What the numbers of the next three look like in the long run: generator.test.ts.
  uniform: {
    'stays within [low, high)': () => {
      const drawn = uniform([10, 100], -2, 3, { generator: new Generator(1) });
      expect([drawn.shape, drawn.dtype]).toEqual([[10, 100], 'float32']);
      expect(drawn.numbers().every((number) => number >= -2 && number < 3)).toBe(true);
    },
    'draws in float64 on request': () => {
      expect(uniform([2], 0, 1, { dtype: 'float64', generator: new Generator(1) }).dtype).toBe('float64');
    },
  },
  normal: {
    'with no deviation is the mean': () => {
      expectTensor(normal([2], 1.5, 0, { generator: new Generator(1) }), [1.5, 1.5]);
    },
  },
  bernoulli: {
    'is never for 0 and always for 1': () => {
      const generator = new Generator(1);
      expectTensor(bernoulli([3], 0, { generator }), [0, 0, 0]);
      expectTensor(bernoulli([3], 1, { generator }), [1, 1, 1]);
    },
    'refuses what is not a probability': () => {
      expect(() => bernoulli([3], 1.5, { generator: new Generator(1) })).toThrow(
        /^aten::bernoulli_\(float32\[3\]/,
      );
    },
  },
  randomPermutation: {
    'has every number once, in an order that the generator tells': () => {
      const numbers = randomPermutation(20, new Generator(1)).numbers();
      expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
      expect(randomPermutation(20, new Generator(1)).numbers()).toEqual(numbers);
      expect(randomPermutation(20, new Generator(2)).numbers()).not.toEqual(numbers);
    },
  },
  sampleBeta: {
    'has the mean α / (α + β) and the variance of Beta(α, β)': () => {
      const generator = new Generator(1);
      const [alpha, beta] = [0.75, 2.25];
      const draws = Array.from({ length: 4000 }, () => sampleBeta(alpha, beta, generator));
      const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
      const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
      expect(draws.every((draw) => draw >= 0 && draw <= 1)).toBe(true);
      expect(Math.abs(mean - 0.25)).toBeLessThan(0.014); // four standard errors
      expect(Math.abs(variance - 0.046875)).toBeLessThan(0.006); // αβ / ((α + β)²(α + β + 1))
    },
  },
  multinomial: {
    'draws indices per row, never one of weight 0': () => {
      const weights = tensorOf([
        [0, 5, 0],
        [0, 0, 0.1],
      ]);
      const drawn = multinomial(weights, 4, new Generator(1));
      expectTensor(
        drawn,
        [
          [1, 1, 1, 1],
          [2, 2, 2, 2],
        ],
        { dtype: 'int64' },
      );
    },
    'refuses a row without weight': () => {
      expect(() => multinomial(zeros([1, 3]), 1, new Generator(1))).toThrow(
        /^aten::multinomial\(float32\[1, 3\], 1, /,
      );
    },
  },
  concatenate: {
    'joins along a dimension that exists': () => {
      expectTensor(
        concatenate([
          tensorOf([[1, 2]]),
          tensorOf([
            [3, 4],
            [5, 6],
          ]),
        ]),
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      );
      expectTensor(concatenate([tensorOf([[1, 2]]), tensorOf([[3]])], -1), [[1, 2, 3]]);
    },
    'promotes to the wider type': () => {
      expectTensor(concatenate([tensorOf([1], 'int64'), tensorOf([0.5])]), [1, 0.5]);
    },
    'refuses other lengths elsewhere, and says how many tensors it was': () => {
      expect(() => concatenate([zeros([1, 2]), zeros([1, 3])])).toThrow('aten::cat(2 tensors, 0): ');
    },
  },
  stack: {
    'joins along a new dimension': () => {
      const pair = [tensorOf([1, 2]), tensorOf([3, 4])];
      expectTensor(stack(pair), [
        [1, 2],
        [3, 4],
      ]);
      expectTensor(stack(pair, -1), [
        [1, 3],
        [2, 4],
      ]);
    },
    'of nothing is refused': () => {
      expect(() => stack([])).toThrow('aten::stack(0 tensors, 0): ');
    },
  },
  where: {
    'chooses element by element, broadcasting': () => {
      expectTensor(where(tensorOf([1, 0], 'bool'), tensorOf([[1], [2]]), scalar(-1)), [
        [1, -1],
        [2, -1],
      ]);
    },
  },
  oneHot: {
    'has a one at the class': () => {
      expectTensor(oneHot(tensorOf([2, 0], 'int64'), 3), [
        [0, 0, 1],
        [1, 0, 0],
      ]);
      expect(oneHot(zeros([4, 5], { dtype: 'int64' }), 3).shape).toEqual([4, 5, 3]);
    },
    'refuses a class beyond the last': () => {
      expect(() => oneHot(tensorOf([3], 'int64'), 3)).toThrow('aten::one_hot(int64[1], 3): ');
    },
  },
} satisfies Record<keyof typeof create, Promises>;
