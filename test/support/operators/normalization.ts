/** batchNorm and batchNormRelu of functional.ts. */
import { expect } from 'vitest';
import {
  type BatchNormOptions,
  batchNorm,
  batchNormRelu,
  Generator,
  gradients,
  noGrad,
  normal,
  ones,
  type Tensor,
  uniform,
  zeros,
} from '../../../src/tensor/index.js';
import { expectNumbers, expectTensor, tensorOf } from '../tensors.js';
import type { Promises } from './promises.js';

/** Two images of two channels and one pixel; the channels' means are 2 and 10, their variances 1 and 16. */
const pairs = () =>
  tensorOf([
    [[[1]], [[6]]],
    [[[3]], [[14]]],
  ]);

function batchNormOptions(options: Partial<BatchNormOptions>): BatchNormOptions {
  return {
    weight: tensorOf([1, 2]),
    bias: tensorOf([0, 1]),
    runningMean: tensorOf([0, 2]),
    runningVariance: tensorOf([1, 4]),
    training: true,
    momentum: 0.1,
    epsilon: 0,
    ...options,
  };
}

export const normalization = {
  batchNorm: {
    "training normalizes by the batch's own statistics": () => {
      expectTensor(batchNorm(pairs(), batchNormOptions({})), [
        [[[-1]], [[-1]]],
        [[[1]], [[3]]],
      ]);
    },
    'training moves the running statistics, the variance unbiased': () => {
      const options = batchNormOptions({ momentum: 0.25 });
      batchNorm(pairs(), options);
      expectTensor(options.runningMean, [0.5, 4]); // 0.75·0 + 0.25·2, 0.75·2 + 0.25·10
      expectTensor(options.runningVariance, [1.25, 11]); // 0.75·1 + 0.25·2, 0.75·4 + 0.25·32
    },
    'evaluation normalizes by the running statistics and leaves them': () => {
      const options = batchNormOptions({ training: false });
      expectTensor(batchNorm(pairs(), options), [
        [[[1]], [[5]]],
        [[[3]], [[13]]],
      ]);
      expectTensor(options.runningMean, [0, 2]);
      expectTensor(options.runningVariance, [1, 4]);
    },
    'epsilon is added to the variance': () => {
      expectTensor(batchNorm(pairs(), batchNormOptions({ training: false, epsilon: 3 })).narrow(1, 0, 1), [
        [[[0.5]]],
        [[[1.5]]],
      ]);
    },
    'takes features without height and width': () => {
      expectTensor(batchNorm(pairs().reshape(2, 2), batchNormOptions({})), [
        [-1, -1],
        [1, 3],
      ]);
    },
  },
  batchNormRelu: {
    'is the rectified batch normalization': () => {
      expectTensor(batchNormRelu(pairs(), batchNormOptions({})), [
        [[[0]], [[0]]],
        [[[1]], [[3]]],
      ]);
    },
    'training moves the running statistics, the variance unbiased': () => {
      const options = batchNormOptions({ momentum: 0.25 });
      batchNormRelu(pairs().contiguous('channels-last'), options);
      expectTensor(options.runningMean, [0.5, 4]);
      expectTensor(options.runningVariance, [1.25, 11]);
    },
    'training equals the two operators, in any layout: outputs, gradients, running statistics': () => {
      expectFusedEqualsSeparate({ training: true, layout: 'channels-last' });
      expectFusedEqualsSeparate({ training: true, layout: 'contiguous' });
    },
    'evaluation equals the two operators, in any layout, with and without gradients': () => {
      expectFusedEqualsSeparate({ training: false, layout: 'channels-last' });
      expectFusedEqualsSeparate({ training: false, layout: 'contiguous' });
      noGrad(() => {
        const images = uniform([3, 2, 2, 2], -1, 1, { generator: new Generator(1) }).contiguous(
          'channels-last',
        );
        const options = batchNormOptions({ training: false });
        const separate = batchNorm(images, options).relu();
        expectNumbers(batchNormRelu(images, options).numbers(), separate.numbers(), {
          shape: separate.shape,
        });
      });
    },
    'keeps channels-last layout': () => {
      const images = pairs().expand(2, 2, 3, 3).contiguous('channels-last');
      expect(batchNormRelu(images, batchNormOptions({})).isChannelsLast).toBe(true);
    },
    'lets NaN through, in any layout: a run that diverged must show': () => {
      const images = tensorOf([
        [[[NaN, 1]], [[1, 2]]],
        [[[2, 3]], [[3, 4]]],
      ]);
      for (const layout of ['contiguous', 'channels-last'] as const) {
        for (const training of [true, false]) {
          const output = batchNormRelu(images.contiguous(layout), batchNormOptions({ training }));
          expect(output.numbers()[0], `${layout}, training ${training}`).toBeNaN();
        }
      }
    },
    'gives a gradient of its gradient that is right, or none, in any layout': () => {
      for (const layout of ['contiguous', 'channels-last'] as const) {
        const expected = gradientOfGradient(layout, (input, options) => batchNorm(input, options).relu())!;
        const actual = gradientOfGradient(layout, batchNormRelu);
        if (actual === null) continue;
        expectNumbers(actual.numbers(), expected.numbers(), {
          shape: expected.shape,
          tolerance: 1e-3,
          what: layout,
        });
      }
    },
    'refuses parameters and statistics of another number of channels, in any layout': () => {
      for (const layout of ['contiguous', 'channels-last'] as const) {
        const images = zeros([2, 2, 3, 3]).contiguous(layout);
        for (const name of ['weight', 'bias', 'runningMean', 'runningVariance'] as const) {
          const options = batchNormOptions({ [name]: ones([1]) });
          expect(() => batchNormRelu(images, options), `${layout}, ${name}`).toThrow(
            /^featmatch::batch_norm_relu\(float32\[2, 2, 3, 3\]/,
          );
        }
      }
    },
  },
} satisfies Record<string, Promises>;

/** Enough pixels for several blocks and threads of the kernel, and a number of channels that fills no vector. */
function expectFusedEqualsSeparate(setting: {
  training: boolean;
  layout: 'contiguous' | 'channels-last';
}): void {
  const [channels, shape] = [19, [4, 19, 37, 41]];
  const run = (normalized: (input: Tensor, options: BatchNormOptions) => Tensor) => {
    const generator = new Generator(1);
    const draw = (of: readonly number[], mean: number) => normal(of, mean, 1, { generator });
    const images = draw(shape, 3).contiguous(setting.layout);
    const [weight, bias] = [draw([channels], 1), draw([channels], 0)];
    const runningMean = draw([channels], 3);
    const runningVariance = draw([channels], 0).abs().add(0.5);
    const upstream = draw(shape, 0);
    const inputs = [images, weight, bias];
    for (const input of inputs) input.requiresGrad = true;
    const { training } = setting;
    const output = normalized(images, {
      weight,
      bias,
      runningMean,
      runningVariance,
      training,
      momentum: 0.1,
      epsilon: 1e-5,
    });
    const [byImages, byWeight, byBias] = gradients([output], inputs, { outputGradients: [upstream] });
    return { output, byImages, byWeight, byBias, runningMean, runningVariance };
  };
  const fused = run(batchNormRelu);
  const separate = run((input, options) => batchNorm(input, options).relu());
  for (const name of [
    'output',
    'byImages',
    'byWeight',
    'byBias',
    'runningMean',
    'runningVariance',
  ] as const) {
    const expected = separate[name]!;
    const options = { shape: expected.shape, tolerance: 1e-4, what: `${name} (${JSON.stringify(setting)})` };
    expectNumbers(fused[name]!.numbers(), expected.numbers(), options);
  }
}

/** Of the squared gradient and the squared input, or null where the gradient refuses to be differentiated. */
function gradientOfGradient(
  layout: 'contiguous' | 'channels-last',
  normalized: (input: Tensor, options: BatchNormOptions) => Tensor,
): Tensor | null {
  const generator = new Generator(1);
  const images = normal([4, 2, 2, 2], 0, 1, { generator }).contiguous(layout);
  const outputGradients = [normal([4, 2, 2, 2], 0, 1, { generator })];
  images.requiresGrad = true;
  const output = normalized(images, batchNormOptions({}));
  let first: Tensor;
  try {
    first = gradients([output], [images], { outputGradients, createGraph: true })[0]!;
  } catch (error) {
    expect(String(error)).toContain('batch_norm_relu');
    return null;
  }
  return gradients([first.pow(2).sum().add(images.pow(2).sum())], [images])[0];
}
