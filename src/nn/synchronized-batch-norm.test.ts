// What several processes compute together is tested with real ones in test/distributed.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { checkGradients } from '../../test/support/gradient-check.js';
import { expectNumbers, irregular } from '../../test/support/tensors.js';
import { type DType, setThreads, type Tensor, tidy } from '../tensor/index.js';
import { BatchNorm2d, runningStatistics, synchronizeBatchNorm } from './layers.js';
import { Module } from './module.js';

beforeAll(() => setThreads(1));

const alone = (x: Tensor) => x;

function layerOf(dtype: DType, sum?: (x: Tensor) => Tensor): BatchNorm2d {
  const layer = new BatchNorm2d(3, { momentum: 0.3, dtype });
  tidy(() => {
    layer.load(
      new Map([
        ['weight', irregular([3], 2)],
        ['bias', irregular([3], 3)],
        ['running_mean', irregular([3], 4)],
        ['running_var', irregular([3], 5).abs().add(0.5)],
      ]),
    );
  });
  if (sum !== undefined) layer.synchronize(sum);
  return layer;
}

function resultOf(layer: BatchNorm2d, images: Tensor, forward: 'forward' | 'forwardRelu') {
  return tidy(() => {
    const input = images.detach();
    input.requiresGrad = true;
    const output = layer[forward](input);
    output.backward(irregular(output.shape, 9).to(output.dtype));
    return {
      output: output.numbers(),
      input: input.grad?.numbers() ?? [],
      weight: layer.weight.grad?.numbers() ?? [],
      bias: layer.bias.grad?.numbers() ?? [],
      statistics: runningStatistics(layer).flatMap((tensor) => tensor.numbers()),
    };
  });
}

describe('synchronized batch normalization', () => {
  it.each([
    ['float64', 1e-12],
    ['float32', 1e-5],
  ] as const)('of one process is batch normalization, forward and backward (%s)', (dtype, tolerance) => {
    for (const forward of ['forward', 'forwardRelu'] as const) {
      tidy(() => {
        const images = irregular([4, 3, 5, 6], 1).add(3).to(dtype).contiguous('channels-last');
        const ours = resultOf(layerOf(dtype, alone), images, forward);
        const theirs = resultOf(layerOf(dtype), images, forward);
        for (const key of Object.keys(ours) as (keyof typeof ours)[]) {
          expectNumbers(ours[key], theirs[key], { tolerance });
        }
      });
    }
  });

  it('has the gradients of central differences', () => {
    const layer = layerOf('float64', alone);
    tidy(() => checkGradients((x) => layer.forward(x), [irregular([2, 3, 2, 2], 1).to('float64')]));
  });

  it('counts what other processes have', () => {
    tidy(() => {
      const images = irregular([4, 3, 5, 6], 1).to('float64');
      const twice = resultOf(
        layerOf('float64', (x) => x.mul(2)),
        images,
        'forward',
      );
      const once = resultOf(layerOf('float64'), images, 'forward');
      expectNumbers(twice.output, once.output, { tolerance: 1e-12 }); // another process with the same images changes nothing …
      const unbiased = (n: number) => n / (n - 1);
      const moved = (all: number[], n: number) =>
        all.slice(3).map((variance, c) => {
          const before = layerOf('float64').running_var.numbers()[c];
          return (variance - 0.7 * before) / unbiased(n);
        });
      expectNumbers(moved(twice.statistics, 240), moved(once.statistics, 120), { tolerance: 1e-12 }); // … but the number of them
    });
  });

  it('is that of all layers in a network while training, and of none while evaluating', () => {
    let sums = 0;
    const network = new (class extends Module {
      readonly layers = [new BatchNorm2d(3), new BatchNorm2d(3)];
    })();
    synchronizeBatchNorm(network, (x) => {
      sums++;
      return x;
    });
    tidy(() => {
      const images = irregular([4, 3, 5, 6], 1).to('float32');
      for (const layer of network.layers) layer.forwardRelu(images);
      network.train(false);
      for (const layer of network.layers) layer.forward(images);
    });
    expect(sums).toBe(2);
  });
});
