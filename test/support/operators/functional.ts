/** The functions of functional.ts. Their derivatives are checked in gradients.test.ts. */
import { expect } from 'vitest';
import type * as functions from '../../../src/tensor/functional.js';
import {
  addEachInPlace,
  conv2d,
  conv3x3,
  Generator,
  globalAveragePool,
  linear,
  maxPool2d,
  mulEachInPlace,
  normal,
  normalizedConv3x3,
  ones,
  sgdInPlace,
  type Tensor,
  tensor,
  zeros,
} from '../../../src/tensor/index.js';
import { expectNumbers, expectTensor, tensorOf } from '../tensors.js';
import { normalization } from './normalization.js';
import type { Promises } from './promises.js';

/** One image of one channel: 0, 1, … row by row. */
function countingImage(height: number, width: number): Tensor {
  return tensor(
    Float32Array.from({ length: height * width }, (_, i) => i),
    [1, 1, height, width],
  );
}

/** Two images of two channels and one pixel. */
const pairs = () =>
  tensorOf([
    [[[1]], [[6]]],
    [[[3]], [[14]]],
  ]);

export const functional = {
  ...normalization,
  linear: {
    'is x Wᵀ + b': () => {
      const weight = tensorOf([
        [1, 2],
        [3, 4],
        [5, 6],
      ]);
      expectTensor(linear(tensorOf([[1, 10]]), weight, null), [[21, 43, 65]]);
      expectTensor(linear(tensorOf([[1, 10]]), weight, tensorOf([1, 2, 3])), [[22, 45, 68]]);
    },
    'keeps leading dimensions': () => {
      expect(linear(zeros([4, 5, 2]), zeros([3, 2]), null).shape).toEqual([4, 5, 3]);
    },
    'refuses another number of features, and names the shapes': () => {
      expect(() => linear(zeros([1, 3]), zeros([3, 2]), null)).toThrow(
        'aten::linear(float32[1, 3], float32[3, 2], none): ',
      );
    },
  },
  conv3x3: {
    'is the cross-correlation with a border of one zero, plus a bias': () => {
      const kernel = ones([1, 1, 3, 3]);
      expectTensor(conv3x3(countingImage(3, 3), kernel, tensorOf([100])), [
        [
          [
            [108, 115, 112],
            [121, 136, 127],
            [120, 133, 124],
          ],
        ],
      ]);
    },
  },
  conv2d: {
    'is a cross-correlation: the kernel is not mirrored': () => {
      const kernel = tensorOf([
        [
          [
            [1, 0],
            [0, 10],
          ],
        ],
      ]);
      expectTensor(conv2d(countingImage(2, 3), kernel), [[[[40, 51]]]]);
    },
    'pads with zeros and strides': () => {
      const kernel = ones([1, 1, 3, 3]);
      expectTensor(conv2d(countingImage(3, 3), kernel, { padding: 1 }), [
        [
          [
            [8, 15, 12],
            [21, 36, 27],
            [20, 33, 24],
          ],
        ],
      ]);
      expectTensor(conv2d(countingImage(3, 3), kernel, { padding: 1, stride: 2 }), [
        [
          [
            [8, 12],
            [20, 24],
          ],
        ],
      ]);
    },
    'sums over input channels and adds one bias per output channel': () => {
      const weight = tensorOf([
        [[[1]], [[2]]],
        [[[0]], [[-1]]],
      ]);
      expectTensor(conv2d(pairs(), weight, { bias: tensorOf([100, 0]) }), [
        [[[113]], [[-6]]],
        [[[131]], [[-14]]],
      ]);
    },
    'gives the same numbers in channels-last layout, and stays in it': () => {
      const generator = new Generator(1);
      const images = normal([2, 3, 5, 5], 0, 1, { generator });
      const weight = normal([4, 3, 3, 3], 0, 1, { generator });
      const contiguous = conv2d(images, weight, { padding: 1 });
      const channelsLast = conv2d(images.contiguous('channels-last'), weight.contiguous('channels-last'), {
        padding: 1,
      });
      expect(channelsLast.isChannelsLast).toBe(true);
      expectNumbers(channelsLast.numbers(), contiguous.numbers(), {
        shape: contiguous.shape,
        tolerance: 1e-5,
      });
    },
    'refuses other channels, and names the shapes': () => {
      expect(() => conv2d(zeros([1, 3, 4, 4]), zeros([8, 2, 3, 3]))).toThrow(
        'aten::conv2d(float32[1, 3, 4, 4], float32[8, 2, 3, 3], none, [1, 1], [0, 0], [1, 1], 1): ',
      );
    },
  },
  normalizedConv3x3: {
    'is batchNorm, rectifier, convolution with a border of one zero, bias and addend': () => {
      const input = tensorOf([[[[-1, 1]]]]); // mean 0, variance 1
      const norm = {
        runningMean: zeros([1]),
        runningVariance: ones([1]),
        weight: tensorOf([2]),
        bias: tensorOf([1]),
        training: false,
        momentum: 0,
        epsilon: 0,
      };
      const weight = tensorOf([
        [
          [
            [0, 0, 0],
            [1, 10, 100],
            [0, 0, 0],
          ],
        ],
      ]);
      const convolution = { weight, bias: tensorOf([1000]), addend: tensorOf([[[[5, 6]]]]) };
      // relu(2x + 1) = (0, 3), so 10·0 + 100·3 and 1·0 + 10·3
      expectTensor(normalizedConv3x3(input, norm, convolution), [[[[1305, 1036]]]]);
    },
  },
  maxPool2d: {
    'takes the greatest of each window; windows do not overlap by default': () => {
      expectTensor(maxPool2d(countingImage(4, 4), 2), [
        [
          [
            [5, 7],
            [13, 15],
          ],
        ],
      ]);
    },
    'strides and pads, and padding never wins': () => {
      expectTensor(maxPool2d(countingImage(3, 3), 2, { stride: 1 }), [
        [
          [
            [4, 5],
            [7, 8],
          ],
        ],
      ]);
      expectTensor(maxPool2d(countingImage(2, 2).sub(10), 3, { stride: 2, padding: 1 }), [[[[-7]]]]);
    },
  },
  globalAveragePool: {
    'averages over height and width': () => {
      expectTensor(globalAveragePool(tensorOf([[[[1, 3]], [[10, 20]]]])), [[2, 15]]);
    },
  },
  addEachInPlace: {
    'adds scaled partners, of any shapes': () => {
      const tensors = [tensorOf([1, 2]), tensorOf([[3]])];
      addEachInPlace(tensors, [tensorOf([10, 20]), tensorOf([[30]])], -0.1);
      expectTensor(tensors[0], [0, 0]);
      expectTensor(tensors[1], [[0]]);
      addEachInPlace(tensors, [tensorOf([1, 1]), tensorOf([[1]])]);
      expectTensor(tensors[0], [1, 1]);
    },
    'refuses lists of different lengths': () => {
      expect(() => addEachInPlace([zeros([1])], [])).toThrow(
        /^aten::_foreach_add_\(1 tensors, 0 tensors, 1\): /,
      );
    },
  },
  sgdInPlace: {
    'moves parameters of both precisions, any size and layout, and remembers the velocities': () => {
      const options = { learningRate: 0.5, momentum: 0.75, nesterov: true, weightDecay: 0.25 };
      for (const dtype of ['float32', 'float64'] as const) {
        const parameters = [ones([2, 3, 2, 2]), ones([100_003])].map((each) => each.to(dtype));
        const gradients = [tensorOf([[[[1]], [[2]], [[3]]]]).expand(2, 3, 2, 2), ones([100_003])];
        const velocities = parameters.map((each) => each.mul(4).clone());
        sgdInPlace(
          parameters,
          [gradients[0].contiguous('channels-last').to(dtype), gradients[1].to(dtype)],
          velocities,
          options,
        );
        // d = g + 1/4; v = 3 + d; θ = 1 − (d + 3/4·v) / 2
        const velocityOf = (g: number) => 3 + g + 0.25;
        const parameterOf = (g: number) => 1 - (g + 0.25 + 0.75 * velocityOf(g)) / 2;
        const four = (each: (g: number) => number) => [1, 2, 3].flatMap((g) => Array(4).fill(each(g)));
        expect(velocities[0].numbers()).toEqual([...four(velocityOf), ...four(velocityOf)]);
        expect(parameters[0].numbers()).toEqual([...four(parameterOf), ...four(parameterOf)]);
        for (const [values, expected] of [
          [velocities[1], velocityOf(1)],
          [parameters[1], parameterOf(1)],
        ] as const) {
          expect([values.amin(0).item(), values.amax(0).item()]).toEqual([expected, expected]);
        }
      }
    },
    'refuses lists of different lengths': () => {
      const options = { learningRate: 1, momentum: 0.9, nesterov: false, weightDecay: 0 };
      expect(() => sgdInPlace([zeros([1])], [zeros([1])], [], options)).toThrow(
        /sgd_: 1 parameters, 1 gradients and 0 velocities/,
      );
    },
    'refuses shapes that differ': () => {
      const options = { learningRate: 1, momentum: 0.9, nesterov: false, weightDecay: 0 };
      for (const [gradient, velocity] of [
        [3, 2],
        [2, 3],
      ]) {
        expect(() => sgdInPlace([zeros([2])], [zeros([gradient])], [zeros([velocity])], options)).toThrow(
          /sgd_/,
        );
      }
    },
  },
  mulEachInPlace: {
    'scales every tensor': () => {
      const tensors = [tensorOf([1, 2]), tensorOf(4)];
      mulEachInPlace(tensors, 0.5);
      expectTensor(tensors[0], [0.5, 1]);
      expectTensor(tensors[1], 2);
    },
  },
} satisfies Record<keyof typeof functions, Promises>;
