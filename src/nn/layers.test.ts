import { beforeAll, describe, expect, it } from 'vitest';
import { checkGradients } from '../../test/support/gradient-check.js';
import { expectTensor, irregular, tensorOf } from '../../test/support/tensors.js';
import { Generator, gradients, noGrad, ones, setThreads, type Tensor } from '../tensor/index.js';
import { BatchNorm2d, Conv2d, Dropout, Linear, withFrozenStatistics } from './layers.js';
import type { Module } from './module.js';

beforeAll(() => setThreads(1));

const float64 = (seed = 1) => ({ generator: new Generator(seed), dtype: 'float64' }) as const;

function assign(tensor: Tensor, numbers: Parameters<typeof tensorOf>[0]): void {
  noGrad(() => tensor.copyInPlace(tensorOf(numbers)));
}

/** Names and shapes. */
const describeTensors = (module: Module) =>
  [...module.namedTensors()].map(([name, { shape }]) => `${name} ${shape.join('×')}`);

describe('Conv2d', () => {
  const image = tensorOf([
    [
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
    ],
  ]);

  it('slides its kernel over the image', () => {
    const layer = new Conv2d(1, 1, { size: 2, generator: new Generator(1) });
    expect(describeTensors(layer)).toEqual(['weight 1×1×2×2']);
    assign(layer.weight, [
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ]);
    // top left: 1·1 + 2·2 + 4·3 + 5·4 = 37
    expectTensor(layer.forward(image), [
      [
        [
          [37, 47],
          [67, 77],
        ],
      ],
    ]);
  });

  it('skips by its stride, pads with zeros and adds its bias', () => {
    const layer = new Conv2d(1, 2, {
      size: 3,
      stride: 2,
      padding: 1,
      bias: true,
      generator: new Generator(1),
    });
    expect(describeTensors(layer)).toEqual(['weight 2×1×3×3', 'bias 2']);
    expectTensor(layer.bias as Tensor, [0, 0]);
    const kernel = [
      [0, 1, 0],
      [1, 1, 1],
      [0, 1, 0],
    ];
    assign(layer.weight, [[kernel], [kernel.map((row) => row.map((weight) => -weight))]]);
    assign(layer.bias as Tensor, [0.5, 0]);
    // top left: 0 + 0 + 1 + 2 + 4 = 7; top right: 0 + 2 + 3 + 0 + 6 = 11; bottom: 4 + 0 + 7 + 8 = 19, 6 + 8 + 9 = 23
    expectTensor(layer.forward(image), [
      [
        [
          [7.5, 11.5],
          [19.5, 23.5],
        ],
        [
          [-7, -11],
          [-19, -23],
        ],
      ],
    ]);
  });

  it('sums over the channels', () => {
    const layer = new Conv2d(3, 1, { size: 1, generator: new Generator(1) });
    assign(layer.weight, [[[[1]], [[10]], [[100]]]]);
    expectTensor(layer.forward(tensorOf([[[[1, 2]], [[3, 4]], [[5, 6]]]])), [[[[531, 642]]]]);
  });

  it.each([
    { size: 3, stride: 1, padding: 1 },
    { size: 3, stride: 2, padding: 1, bias: true },
    { size: 1, stride: 2 },
  ])('has the gradients of finite differences: %o', (options) => {
    const layer = new Conv2d(2, 3, { ...options, ...float64() });
    checkGradients((images) => layer.forward(images), [irregular([2, 2, 5, 4]), ...layer.parameters()]);
  });
});

describe('Linear', () => {
  it('multiplies by its weights and adds its bias', () => {
    const layer = new Linear(3, 2, { generator: new Generator(1) });
    expect(describeTensors(layer)).toEqual(['weight 2×3', 'bias 2']);
    assign(layer.weight, [
      [1, 2, 3],
      [0, -1, 0.5],
    ]);
    assign(layer.bias, [10, 20]);
    // 1·1 + 0·2 − 1·3 + 10 = 8; 0·1 − 0·1 − ½ + 20 = 19.5
    expectTensor(
      layer.forward(
        tensorOf([
          [1, 0, -1],
          [2, 2, 2],
        ]),
      ),
      [
        [8, 19.5],
        [22, 19],
      ],
    );
  });

  it.each(['glorot', 'fan-in'] as const)('has the gradients of finite differences (%s)', (initialization) => {
    const layer = new Linear(4, 3, { initialization, ...float64() });
    checkGradients((rows) => layer.forward(rows), [irregular([5, 4]), ...layer.parameters()]);
  });
});

describe('BatchNorm2d', () => {
  // Two images, two channels, one pixel: channel 0 has 1 and 3, channel 1 has −2 and 6.
  const images = tensorOf([
    [[[1]], [[-2]]],
    [[[3]], [[6]]],
  ]);

  it('normalizes by its batches without remembering them while statistics are frozen', () => {
    const [free, frozen] = [new BatchNorm2d(2, { momentum: 0.5 }), new BatchNorm2d(2, { momentum: 0.5 })];
    for (const forward of ['forward', 'forwardRelu'] as const) {
      const expected = free[forward](images);
      const start = frozen.running_mean.numbers();
      expect(withFrozenStatistics(() => frozen[forward](images)).equals(expected)).toBe(true);
      expectTensor(frozen.running_mean, start);
      expectTensor(frozen.running_var, [1, 1]);
    }
    expect(() =>
      withFrozenStatistics(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    frozen.forward(images);
    expectTensor(frozen.running_mean, [1, 1]); // half of the means 2 and 2: no longer frozen
  });

  it('starts with scale 1, offset 0, running mean 0 and variance 1, under the names of PyTorch', () => {
    const layer = new BatchNorm2d(2);
    expect(describeTensors(layer)).toEqual(['weight 2', 'bias 2', 'running_mean 2', 'running_var 2']);
    expect([...layer.namedParameters().keys()]).toEqual(['weight', 'bias']);
    expect([...layer.namedTensors().values()].map((tensor) => tensor.numbers())).toEqual([
      [1, 1],
      [0, 0],
      [0, 0],
      [1, 1],
    ]);
  });

  it('normalizes each channel by its mean and its biased variance over the batch', () => {
    const layer = new BatchNorm2d(2, { epsilon: 3 });
    assign(layer.weight, [2, 1]);
    assign(layer.bias, [0, 10]);
    // Channel 0: mean 2, variance 1, ±1 / √(1 + 3) · 2 = ±1. Channel 1: mean 2, variance 16, ±4 / √19.
    const deviation = 4 / Math.sqrt(19);
    expectTensor(layer.forward(images), [
      [[[-1]], [[10 - deviation]]],
      [[[1]], [[10 + deviation]]],
    ]);
  });

  it.each(['forward', 'forwardRelu'] as const)(
    '%s moves the running statistics by its momentum while training, the variance unbiased',
    (forward) => {
      const layer = new BatchNorm2d(2, { momentum: 0.25 });
      noGrad(() => layer[forward](images));
      // means 2 and 2; unbiased variances 2 and 32
      expectTensor(layer.running_mean, [0.5, 0.5]);
      expectTensor(layer.running_var, [0.75 + 0.25 * 2, 0.75 + 0.25 * 32]);
      noGrad(() => layer.train(false)[forward](images));
      expectTensor(layer.running_mean, [0.5, 0.5]);
      expectTensor(layer.running_var, [1.25, 8.75]);
    },
  );

  it('normalizes by the running statistics in evaluation mode', () => {
    const layer = new BatchNorm2d(2, { epsilon: 0 }).train(false);
    assign(layer.running_mean, [1, 2]);
    assign(layer.running_var, [4, 16]);
    assign(layer.weight, [1, 2]);
    assign(layer.bias, [0, 1]);
    const normalized = [
      [[[0]], [[-1]]],
      [[[1]], [[3]]],
    ];
    expectTensor(layer.forward(images), normalized);
    const rectified = normalized.map((image) =>
      image.map((map) => map.map((row) => row.map((x) => Math.max(x, 0)))),
    );
    expectTensor(layer.forwardRelu(images), rectified);
  });

  it.each([
    { training: true, forward: 'forward' },
    { training: false, forward: 'forward' },
    { training: true, forward: 'forwardRelu' },
    { training: false, forward: 'forwardRelu' },
  ] as const)('has the gradients of finite differences: %o', ({ training, forward }) => {
    const layer = new BatchNorm2d(3, { dtype: 'float64' }).train(training);
    noGrad(() => layer.weight.copyInPlace(tensorOf([0.7, -1.3, 1.1], 'float64')));
    noGrad(() => layer.bias.copyInPlace(tensorOf([0.2, -0.1, 0.4], 'float64')));
    checkGradients((input) => layer[forward](input), [irregular([3, 3, 2, 4]), layer.weight, layer.bias]);
  });
});

describe('Dropout', () => {
  const rows = ones([100, 100]);

  it('sets a share of the elements to zero and scales the others, so that the mean stays', () => {
    const dropped = new Dropout(0.2, new Generator(1)).forward(rows).numbers();
    expect([...new Set(dropped)].sort()).toEqual([0, 1.25]);
    // of 10,000 draws with probability 0.8; the standard deviation of the share is 0.004
    expect(dropped.filter((value) => value > 0).length / 10_000).toBeCloseTo(0.8, 1.5);
  });

  it('draws anew at each pass, and the same from the same seed', () => {
    const layer = new Dropout(0.5, new Generator(2));
    const [first, second] = [layer.forward(rows), layer.forward(rows)];
    expect(first.equals(second)).toBe(false);
    expect(first.equals(new Dropout(0.5, new Generator(2)).forward(rows))).toBe(true);
  });

  it('does nothing in evaluation mode or at rate 0, and then draws nothing', () => {
    const generator = new Generator(3);
    const before = generator.state;
    expect(new Dropout(0.5, generator).train(false).forward(rows)).toBe(rows);
    expect(new Dropout(0, generator).forward(rows)).toBe(rows);
    expect(generator.state).toEqual(before);
  });

  it('passes gradients where it passes values', () => {
    const input = ones([4, 8]);
    input.requiresGrad = true;
    const output = new Dropout(0.5, new Generator(4)).forward(input);
    const [gradient] = gradients([output.sum()], [input]);
    expect(gradient?.numbers()).toEqual(output.numbers());
  });

  it('has the gradients of finite differences', () => {
    checkGradients((input) => new Dropout(0.3, new Generator(5)).forward(input), [irregular([4, 6])]);
  });

  it.each([1, -0.1, Number.NaN])('refuses the rate %d', (rate) => {
    expect(() => new Dropout(rate, new Generator(1))).toThrow(`a dropout rate is in [0, 1), not ${rate}`);
  });
});
