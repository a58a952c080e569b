import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectNumbers, irregular, tensorOf } from '../../test/support/tensors.js';
import {
  type DType,
  full,
  gradients,
  noGrad,
  setThreads,
  type Tensor,
  tensor,
  tidy,
} from '../tensor/index.js';
import { BatchNorm2d } from './layers.js';

beforeAll(() => setThreads(1));
afterEach(() => setThreads(1));

type Forward = 'forwardRelu' | 'separately';
type Upstream = 'channels-last' | 'contiguous' | 'expanded';

interface Result {
  readonly output: number[];
  readonly gradients: Record<'input' | 'weight' | 'bias', number[]>;
  readonly running: Record<'mean' | 'variance', number[]>;
}

/** A layer with scales of both signs and offsets. */
function layerOf(channels: number, dtype: DType): BatchNorm2d {
  const layer = new BatchNorm2d(channels, { momentum: 0.3, dtype });
  tidy(() =>
    noGrad(() => {
      layer.weight.copyInPlace(irregular([channels], 2));
      layer.bias.copyInPlace(irregular([channels], 3));
      layer.running_mean.copyInPlace(irregular([channels], 4));
      layer.running_var.copyInPlace(irregular([channels], 5).abs().add(0.5));
    }),
  );
  return layer;
}

function run(
  forward: Forward,
  images: Tensor,
  options: { dtype?: DType; upstream?: Upstream; training?: boolean } = {},
): Result {
  const { dtype = 'float32', upstream = 'channels-last', training = true } = options;
  return tidy(() => {
    const input = images.to(dtype).contiguous('channels-last').detach();
    input.requiresGrad = true;
    const layer = layerOf(input.shape[1], dtype).train(training);
    const output = forward === 'forwardRelu' ? layer.forwardRelu(input) : layer.forward(input).relu();
    output.backward(upstreamGradient(output, upstream));
    const numbers = (value: Tensor | null) => value?.numbers() ?? [];
    const result = {
      output: output.numbers(),
      gradients: {
        input: numbers(input.grad),
        weight: numbers(layer.weight.grad),
        bias: numbers(layer.bias.grad),
      },
      running: { mean: numbers(layer.running_mean), variance: numbers(layer.running_var) },
    };
    layer.dispose();
    return result;
  });
}

function upstreamGradient({ shape, dtype }: Tensor, layout: Upstream): Tensor {
  const [batch, channels, height, width] = shape;
  if (layout === 'expanded') {
    return irregular([batch, channels, 1, 1], 6).to(dtype).expand(-1, -1, height, width);
  }
  return irregular(shape, 7).to(dtype).contiguous(layout);
}

function expectSame(actual: Result, expected: Result, tolerance = 2e-5): void {
  expectNumbers(actual.output, expected.output, { tolerance, what: 'the output' });
  for (const name of ['input', 'weight', 'bias'] as const) {
    const what = `the gradient of the ${name}`;
    expectNumbers(actual.gradients[name], expected.gradients[name], { tolerance, what });
  }
  for (const name of ['mean', 'variance'] as const) {
    expectNumbers(actual.running[name], expected.running[name], { tolerance, what: `the running ${name}` });
  }
}

const SHAPES = [
  [4, 16, 5, 7],
  [1, 1, 3, 3],
  [5, 1, 4, 4],
  [2, 7, 4, 3], // not a multiple of the vector length
  [3, 33, 3, 3],
  [1, 64, 8, 8],
  [2, 3, 1, 1],
  [2, 8, 17, 19], // several blocks of rows, the last one not full
] as const;

describe('batch normalization and rectifier in one pass', () => {
  it.each(SHAPES)('give the numbers of the two one after another in float64: %i×%i×%i×%i', (...shape) => {
    const images = irregular(shape);
    expectSame(run('forwardRelu', images), run('separately', images, { dtype: 'float64' }));
  });

  it.each<Upstream>(['contiguous', 'expanded'])('take a gradient in another layout: %s', (upstream) => {
    const images = irregular([3, 5, 4, 6]);
    expectSame(
      run('forwardRelu', images, { upstream }),
      run('separately', images, { dtype: 'float64', upstream }),
    );
  });

  it('lose no precision of the variance where the mean is far from zero', () => {
    const images = irregular([4, 6, 5, 5]).add(1000).to('float32');
    const [result, expected] = [run('forwardRelu', images), run('separately', images, { dtype: 'float64' })];
    expectNumbers(result.running.variance, expected.running.variance, { tolerance: 1e-5 });
    // scale · x is near 2000 before the offset is added, and a float32 near 2000 is known to 1e-4
    expectSame(result, expected, 1e-3);
  });

  it('do not depend on the number of threads beyond rounding', () => {
    const images = irregular([4, 64, 20, 20]);
    const alone = run('forwardRelu', images);
    setThreads(2);
    expectSame(run('forwardRelu', images), alone, 1e-5);
  });

  it('give the same bits twice', () => {
    const images = irregular([4, 16, 9, 9]);
    expect(run('forwardRelu', images)).toEqual(run('forwardRelu', images));
  });

  it('give the same numbers in evaluation mode, with and without gradients', () => {
    const images = irregular([3, 5, 4, 4]);
    const expected = run('separately', images, { dtype: 'float64', training: false });
    expectSame(run('forwardRelu', images, { training: false }), expected);
    tidy(() => {
      const layer = layerOf(5, 'float32').train(false);
      const input = images.to('float32').contiguous('channels-last');
      expectNumbers(noGrad(() => layer.forwardRelu(input)).numbers(), expected.output, { tolerance: 2e-5 });
    });
  });

  it('use the two operators themselves for float64: the same bits', () => {
    const images = irregular([2, 5, 4, 4]);
    expect(run('forwardRelu', images, { dtype: 'float64' })).toEqual(
      run('separately', images, { dtype: 'float64' }),
    );
  });

  it.each([
    ['contiguous', (images: Tensor) => images],
    ['a part of a larger map', (images: Tensor) => images.contiguous('channels-last').narrow(3, 1, 3)],
    [
      'with its rows and columns exchanged',
      (images: Tensor) => images.contiguous('channels-last').transpose(2, 3),
    ],
  ] as const)('take a map that is %s', (_, view) => {
    tidy(() => {
      const input = view(irregular([2, 6, 5, 5]).to('float32'));
      const forward = (name: Forward) => {
        const layer = layerOf(6, 'float32');
        return noGrad(() =>
          name === 'forwardRelu' ? layer.forwardRelu(input) : layer.forward(input).relu(),
        );
      };
      expectNumbers(forward('forwardRelu').numbers(), forward('separately').numbers());
    });
  });

  it('keep the layout of the map', () => {
    const layer = new BatchNorm2d(4);
    expect(
      layer.forwardRelu(irregular([2, 4, 3, 3]).to('float32').contiguous('channels-last')).isChannelsLast,
    ).toBe(true);
  });

  it('pass no gradient where the output is exactly zero, as the rectifier does', () => {
    // one channel with mean 0 and outputs −1, 0, 0, 1 up to the scale
    const input = tensorOf([
      [
        [
          [-1, 0],
          [0, 1],
        ],
      ],
    ]);
    input.requiresGrad = true;
    const layer = new BatchNorm2d(1);
    const output = layer.forwardRelu(input.contiguous('channels-last'));
    expect(output.numbers().map((value) => value > 0)).toEqual([false, false, false, true]);
    output.backward(
      tensorOf([
        [
          [
            [5, 7],
            [11, 13],
          ],
        ],
      ]),
    );
    expect(layer.bias.grad?.numbers()).toEqual([13]);
  });

  it('give the offset for a channel that is the same everywhere', () => {
    const layer = new BatchNorm2d(2);
    noGrad(() => layer.bias.copyInPlace(tensorOf([0.25, -0.25])));
    const output = layer.forwardRelu(full([2, 2, 3, 3], 1.7).contiguous('channels-last'));
    expectNumbers(
      output.numbers(),
      [0.25, 0, 0.25, 0].flatMap((value) => Array<number>(9).fill(value)),
      {
        tolerance: 1e-4,
      },
    );
  });

  it('let a NaN through instead of hiding it as a zero', () => {
    const images = irregular([2, 2, 2, 2]).numbers();
    images[0] = Number.NaN; // in channel 0
    const input = tensor(images, [2, 2, 2, 2]).contiguous('channels-last');
    const isNaNPerChannel = (layer: BatchNorm2d) => {
      const output = noGrad(() => layer.forwardRelu(input)).numbers();
      return [0, 1].map(
        (channel) =>
          [
            ...output.slice(4 * channel, 4 * channel + 4),
            ...output.slice(8 + 4 * channel, 12 + 4 * channel),
          ].filter(Number.isNaN).length,
      );
    };
    expect(isNaNPerChannel(new BatchNorm2d(2))).toEqual([8, 0]); // the mean of the channel is not a number
    expect(isNaNPerChannel(new BatchNorm2d(2).train(false))).toEqual([1, 0]);
  });

  it('refuse to be differentiated twice, which the two operators can be', () => {
    const input = irregular([2, 3, 3, 3]).to('float32').contiguous('channels-last').detach();
    input.requiresGrad = true;
    const output = new BatchNorm2d(3).forwardRelu(input);
    expect(() => gradients([output.sum()], [input], { createGraph: true })).toThrow(
      'batch_norm_relu cannot be differentiated twice: use batch_norm and relu',
    );
  });

  it('name the shapes where the number of channels is another', () => {
    expect(() => new BatchNorm2d(3).forwardRelu(full([2, 4, 3, 3], 0))).toThrow(
      /batch_norm_relu: the input \[2, 4, 3, 3\] needs parameters and statistics of 4 channels, not \[3\]/,
    );
  });
});
