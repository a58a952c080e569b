/** What is differentiable, with derivatives checked in float64; and what is not. */
import {
  type BatchNormOptions,
  batchNorm,
  batchNormRelu,
  concatenate,
  conv2d,
  conv3x3,
  globalAveragePool,
  linear,
  maxPool2d,
  normalizedConv3x3,
  stack,
  type Tensor,
  where,
} from '../../../src/tensor/index.js';
import { checkGradients } from '../gradient-check.js';
import { irregular, tensorOf } from '../tensors.js';

/** Compares derivatives with central differences; throws where they differ. */
export type Check = () => void;

const positive = (...shape: number[]) => irregular(shape).abs().add(0.5);
const indices = (...numbers: number[]) => tensorOf(numbers, 'int64');

/** A check for irregular inputs of the given shapes. */
export const check =
  (compute: (...inputs: Tensor[]) => Tensor, ...shapes: number[][]): Check =>
  () => {
    checkGradients(
      compute,
      shapes.map((shape, i) => irregular(shape, i + 1)),
    );
  };

/** By the name of a method of Tensor. */
export const methodDerivatives: { readonly [name in keyof Tensor]?: Check[] } = {
  to: [
    () => {
      const throughFloat32 = (x: Tensor) => x.to('float32').to('float64').pow(2);
      checkGradients(throughFloat32, [irregular([3])], { step: 1e-2, tolerance: 1e-4 });
    },
  ],
  toDevice: [check((x) => x.toDevice('cpu').mul(x), [3])],
  contiguous: [
    check((x) => x.transpose(0, 1).contiguous().mul(2), [2, 3]),
    check((x) => x.contiguous('channels-last').pow(2), [1, 2, 2, 2]),
  ],
  clone: [check((x) => x.clone().mul(x), [3])],
  reshape: [check((x) => x.reshape(3, 2).pow(2), [2, 3])],
  flatten: [check((x) => x.flatten(1).pow(2), [2, 1, 2])],
  permute: [check((x) => x.permute(2, 0, 1).pow(2), [2, 1, 3])],
  transpose: [check((x) => x.transpose(0, -1).pow(2), [2, 3])],
  unsqueeze: [check((x) => x.unsqueeze(1).mul(x), [3])],
  squeeze: [check((x) => x.squeeze(0).pow(2), [1, 3])],
  expand: [check((x) => x.expand(4, 3), [1, 3])],
  narrow: [check((x) => x.narrow(1, 1, 2).pow(2), [2, 4])],
  split: [
    check(
      (x) => {
        const [first, second] = x.split([1, 2], 1);
        return first.mul(second);
      },
      [2, 3],
    ),
  ],
  indexSelect: [check((x) => x.indexSelect(0, indices(2, 0, 2)).pow(2), [3, 2])],
  gather: [check((x) => x.gather(1, tensorOf([[2], [0]], 'int64')).pow(2), [2, 3])],
  rotate90: [check((x) => x.rotate90(1, [0, 1]).mul(x.transpose(0, 1)), [2, 3])],
  indexAdd: [check((x, source) => x.indexAdd(0, indices(1, 1), source).pow(2), [3, 2], [2, 2])],
  add: [check((x, y) => x.add(y), [2, 3], [3]), check((x) => x.add(2), [3])],
  sub: [check((x, y) => x.sub(y), [2, 1], [3]), check((x) => x.sub(2), [3])],
  mul: [check((x, y) => x.mul(y), [2, 3], [2, 1]), check((x) => x.mul(-3), [3])],
  div: [
    () => checkGradients((x, y) => x.div(y), [irregular([2, 3]), positive(3)]),
    check((x) => x.div(4), [3]),
  ],
  pow: [check((x) => x.pow(3), [3]), () => checkGradients((x) => x.pow(-0.5), [positive(3)])],
  neg: [check((x) => x.neg(), [3])],
  abs: [check((x) => x.abs(), [4])],
  exp: [check((x) => x.exp(), [3])],
  log: [() => checkGradients((x) => x.log(), [positive(3)])],
  sqrt: [() => checkGradients((x) => x.sqrt(), [positive(3)])],
  clamp: [check((x) => x.clamp(-0.3, 0.4), [8]), check((x) => x.clamp(0, null), [8])],
  eigh: [
    check((x) => x.add(x.transpose(0, 1)).eigh().values.pow(2), [3, 3]),
    check((x) => x.add(x.transpose(0, 1)).eigh().vectors.pow(2), [3, 3]), // their signs are not determined
  ],
  matmul: [
    check((x, y) => x.matmul(y), [2, 3], [3, 4]),
    check((x, y) => x.matmul(y), [2, 1, 2, 3], [3, 3, 2]),
    check((x, y) => x.matmul(y), [2, 3], [3]),
  ],
  sum: [check((x) => x.sum(), [2, 3]), check((x) => x.sum([0], true).mul(x), [2, 3])],
  mean: [check((x) => x.mean(), [2, 3]), check((x) => x.mean([-1]), [2, 3])],
  amax: [check((x) => x.amax(1), [3, 4]), check((x) => x.amax(0, true), [3, 4])],
  amin: [check((x) => x.amin(1), [3, 4])],
  topk: [check((x) => x.topk(2).values, [2, 4])],
  norm: [check((x) => x.norm([1]), [2, 3]), check((x) => x.norm([0, 1], true), [2, 3])],
  relu: [check((x) => x.relu(), [6])],
  leakyRelu: [check((x) => x.leakyRelu(0.1), [6])],
  softmax: [check((x) => x.softmax(-1), [2, 3]), check((x) => x.softmax(0), [2, 3])],
  logSoftmax: [check((x) => x.logSoftmax(-1), [2, 3])],
  addInPlace: [check((x, y) => x.mul(1).addInPlace(y, 0.5), [2, 3], [3])],
  mulInPlace: [check((x, y) => x.mul(1).mulInPlace(y), [2, 3], [3])],
  indexCopyInPlace: [check((x, y) => x.mul(1).indexCopyInPlace(0, indices(1), y).mul(x), [3, 2], [1, 2])],
  copyInPlace: [check((x, y) => x.mul(1).copyInPlace(y).mul(x), [2, 3], [3])],
  fillInPlace: [check((x) => x.mul(1).fillInPlace(2).mul(x), [3])],
};

/** The rest of Tensor: properties, integers, comparisons, the gradients' own methods, and `detach`, which stops them. */
export const methodsWithoutDerivative =
  'shape strides dtype device isChannelsLast size isDisposed dispose constructor data numbers item argmax argmin countEach nonzero ' +
  'eq gt ge lt equals requiresGrad grad clearGrad backward detach';

export function normalization(training: boolean, normalize = batchNorm): (...inputs: Tensor[]) => Tensor {
  return (images, weight, bias) => {
    const runningMean = irregular([2], 7);
    const runningVariance = positive(2);
    return normalize(images, {
      ...{ weight, bias, runningMean, runningVariance, training },
      ...{ momentum: 0.1, epsilon: 1e-5 },
    });
  };
}
const normalized = [[3, 2, 2, 2], [2], [2]];

/** By the name of an export of create.ts or functional.ts. */
export const functionDerivatives: Readonly<Record<string, Check[]>> = {
  concatenate: [check((x, y) => concatenate([x, y], 1).pow(2), [2, 1], [2, 3])],
  stack: [check((x, y) => stack([x, y], -1).pow(2), [2], [2])],
  where: [check((x, y) => where(tensorOf([1, 0, 1], 'bool'), x, y), [3], [2, 3])],
  linear: [
    check((x, weight, bias) => linear(x, weight, bias), [2, 3], [4, 3], [4]),
    check((x, weight) => linear(x, weight, null), [2, 2, 3], [4, 3]),
  ],
  conv2d: [
    check((x, weight) => conv2d(x, weight), [2, 2, 3, 3], [3, 2, 2, 2]),
    check(
      (x, weight, bias) => conv2d(x, weight, { bias, stride: 2, padding: 1 }),
      ...[[1, 2, 4, 5], [2, 2, 3, 3], [2]],
    ),
    check(
      (x, weight) => conv2d(x.contiguous('channels-last'), weight, { padding: 1 }),
      [1, 2, 3, 3],
      [2, 2, 3, 3],
    ),
  ],
  // in float64 this is conv2d; Winograd's kernels are compared with it in src/nn/conv3x3.test.ts
  conv3x3: [check((x, weight, bias) => conv3x3(x, weight, bias), [1, 2, 4, 5], [3, 2, 3, 3], [3])],
  batchNorm: [check(normalization(true), ...normalized), check(normalization(false), ...normalized)],
  // in float64 this is libtorch's two operators; the float32 kernel is compared with them in operators/functional.ts
  batchNormRelu: [
    check(normalization(true, batchNormRelu), ...normalized),
    check(normalization(false, batchNormRelu), ...normalized),
  ],
  // likewise; the float32 kernel is compared with the operators in src/nn/normalized-conv3x3.test.ts
  normalizedConv3x3: [
    check(
      (x, gamma, beta, weight, bias, addend) => {
        const convolved = (input: Tensor, norm: BatchNormOptions) =>
          normalizedConv3x3(input, norm, { weight, bias, addend });
        return normalization(true, convolved)(x, gamma, beta);
      },
      ...normalized,
      [3, 2, 3, 3],
      [3],
      [3, 3, 2, 2],
    ),
  ],
  maxPool2d: [
    check((x) => maxPool2d(x, 2), [1, 2, 4, 4]),
    check((x) => maxPool2d(x, 3, { stride: 2, padding: 1 }), [1, 1, 4, 4]),
  ],
  globalAveragePool: [check((x) => globalAveragePool(x).pow(2), [2, 2, 2, 3])],
};

/** They make numbers from none, or change parameters outside of any history. */
export const functionsWithoutDerivative =
  'tensor scalar full zeros ones arange uniform normal bernoulli multinomial randomPermutation sampleBeta ' +
  'oneHot addEachInPlace mulEachInPlace sgdInPlace';
