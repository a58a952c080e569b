/** Normalization, rectifier, convolution and addition in one operator, against the four in double precision. */
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { irregular } from '../../test/support/tensors.js';
import {
  type DType,
  Generator,
  gradients,
  memoryStatistics,
  noGrad,
  setConvolutionAlgorithm,
  setThreads,
  type Tensor,
  tensor,
  tidy,
} from '../tensor/index.js';
import { BatchNorm2d, Conv2d, normalizedConvolution } from './layers.js';

beforeAll(() => setThreads(1));
afterEach(() => {
  setThreads(1);
  setConvolutionAlgorithm('winograd');
});

interface Case {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly height: number;
  readonly width: number;
  readonly hasBias: boolean;
  readonly hasAddend: boolean;
}

const SMALL: Case = {
  batch: 3,
  inputs: 16,
  outputs: 24,
  height: 6,
  width: 5,
  hasBias: false,
  hasAddend: true,
};

type Convolve = (norm: BatchNorm2d, convolution: Conv2d, input: Tensor, addend: Tensor | null) => Tensor;

const separately: Convolve = (norm, convolution, input, addend) => {
  const output = convolution.forward(norm.forward(input).relu());
  return addend === null ? output : output.add(addend);
};

/** Layers with irregular parameters, scales of both signs among them. */
function layersOf({ inputs, outputs, hasBias }: Case, dtype: DType) {
  const generator = new Generator(1);
  const norm = new BatchNorm2d(inputs, { momentum: 0.3, dtype });
  const convolution = new Conv2d(inputs, outputs, { size: 3, padding: 1, bias: hasBias, generator, dtype });
  tidy(() =>
    noGrad(() => {
      const { weight, bias, running_mean, running_var } = norm;
      for (const [seed, parameter] of [weight, bias, running_mean].entries())
        parameter.copyInPlace(irregular([inputs], seed + 2));
      running_var.copyInPlace(irregular([inputs], 5).abs().add(0.5));
      convolution.weight.copyInPlace(irregular([outputs, inputs, 3, 3], 6).to('float32').to(dtype));
      convolution.bias?.copyInPlace(irregular([outputs], 7));
    }),
  );
  return { norm, convolution };
}

/** Output, gradients of everything and running statistics, by name. */
function run(
  convolve: Convolve,
  drawn: Case,
  options: { dtype?: DType; training?: boolean } = {},
): Record<string, number[]> {
  const { dtype = 'float32', training = true } = options;
  const { batch, inputs, outputs, height, width, hasAddend } = drawn;
  return tidy(() => {
    const leaf = (shape: number[], seed: number) => {
      const made = irregular(shape, seed).to('float32').to(dtype).contiguous('channels-last').detach();
      made.requiresGrad = true;
      return made;
    };
    const input = leaf([batch, inputs, height, width], 8);
    const addend = hasAddend ? leaf([batch, outputs, height, width], 9) : null;
    const { norm, convolution } = layersOf(drawn, dtype);
    norm.train(training);
    const output = convolve(norm, convolution, input, addend);
    output.backward(irregular(output.shape, 10).to('float32').to(dtype).contiguous('channels-last'));
    const tensors = {
      output,
      'gradient of the input': input.grad,
      'gradient of the addend': addend?.grad ?? null,
      'gradient of gamma': norm.weight.grad,
      'gradient of beta': norm.bias.grad,
      'gradient of the weights': convolution.weight.grad,
      'gradient of the bias': convolution.bias?.grad ?? null,
      'running mean': norm.running_mean,
      'running variance': norm.running_var,
    };
    return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [name, value?.numbers() ?? []]));
  });
}

function expectSame(actual: Record<string, number[]>, expected: Record<string, number[]>): void {
  for (const [name, numbers] of Object.entries(expected)) {
    expect(actual[name].length, name).toBe(numbers.length);
    const greatest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const difference = numbers.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - actual[name][i])),
      0,
    );
    expect(difference, name).toBeLessThanOrEqual(3e-5 * greatest);
  }
}

describe('normalization, rectifier, convolution and addition in one operator', () => {
  it('are the four one after another, forward and backward, for every size', () => {
    const drawn = fc.record({
      batch: fc.integer({ min: 2, max: 5 }), // one pixel alone has no variance
      inputs: fc.integer({ min: 1, max: 5 }).map((eighths) => 8 * eighths),
      outputs: fc.integer({ min: 1, max: 5 }).map((eighths) => 8 * eighths),
      height: fc.integer({ min: 2, max: 10 }),
      width: fc.integer({ min: 2, max: 10 }),
      hasBias: fc.boolean(),
      hasAddend: fc.boolean(),
    });
    fc.assert(
      fc.property(drawn, (size) => {
        expectSame(run(normalizedConvolution, size), run(separately, size, { dtype: 'float64' }));
      }),
      { numRuns: 40, examples: [[{ ...SMALL, batch: 9, inputs: 64, outputs: 128, height: 16, width: 16 }]] },
    );
  });

  it('are so in evaluation mode, with gradients and without', () => {
    const expected = run(separately, SMALL, { dtype: 'float64', training: false });
    expectSame(run(normalizedConvolution, SMALL, { training: false }), expected);
    const output = tidy(() =>
      noGrad(() => {
        const { norm, convolution } = layersOf(SMALL, 'float32');
        norm.train(false);
        const maps = (channels: number, seed: number) =>
          irregular([3, channels, 6, 5], seed).to('float32').contiguous('channels-last');
        return normalizedConvolution(norm, convolution, maps(16, 8), maps(24, 9)).numbers();
      }),
    );
    expectSame({ output }, { output: expected.output });
  });

  it.each([
    ['channels that fill no vector', { inputs: 12 }],
    ['an odd number of output channels', { outputs: 17 }],
  ])('take %s too', (_, channels) => {
    const drawn = { ...SMALL, ...channels };
    expectSame(run(normalizedConvolution, drawn), run(separately, drawn, { dtype: 'float64' }));
  });

  it('are computed one after another where convolutions are direct, and in double precision: the same bits', () => {
    expect(run(normalizedConvolution, SMALL, { dtype: 'float64' })).toEqual(
      run(separately, SMALL, { dtype: 'float64' }),
    );
    setConvolutionAlgorithm('direct');
    const afterEach: Convolve = (norm, convolution, input, addend) =>
      convolution.forward(norm.forwardRelu(input)).add(addend as Tensor);
    expect(run(normalizedConvolution, SMALL)).toEqual(run(afterEach, SMALL));
  });

  it('give the same bits for every number of threads, up to sums over all pixels', () => {
    const drawn = { ...SMALL, batch: 7, inputs: 32, outputs: 40 };
    const alone = run(normalizedConvolution, drawn);
    setThreads(2);
    expectSame(run(normalizedConvolution, drawn), alone);
  });

  it('take an addend of another layout', () => {
    tidy(() => {
      const { norm, convolution } = layersOf(SMALL, 'float32');
      const input = irregular([3, 16, 6, 5], 8).to('float32').contiguous('channels-last');
      const addend = irregular([3, 24, 6, 5], 9).to('float32');
      const add = (value: Tensor) => noGrad(() => normalizedConvolution(norm, convolution, input, value));
      expectSame(
        { output: add(addend).numbers() },
        { output: add(addend.contiguous('channels-last')).numbers() },
      );
    });
  });

  it('keep less memory for the backward pass: not the map between them', () => {
    const size = { ...SMALL, batch: 64 };
    const keptBy = (convolve: Convolve) =>
      tidy(() => {
        const { norm, convolution } = layersOf(size, 'float32');
        const input = irregular([64, 16, 6, 5], 8).to('float32').contiguous('channels-last').detach();
        input.requiresGrad = true;
        const before = memoryStatistics().allocated;
        const output = tidy(() => convolve(norm, convolution, input, null));
        const kept = memoryStatistics().allocated - before;
        expect(output.shape[1]).toBe(24);
        return kept;
      });
    const map = 4 * 64 * 16 * 6 * 5;
    expect(keptBy(separately) - keptBy(normalizedConvolution)).toBeGreaterThan(0.9 * map);
  });

  it('let a NaN through, so that divergence is seen', () => {
    tidy(() => {
      const { norm, convolution } = layersOf(SMALL, 'float32');
      norm.train(false);
      const numbers = irregular([1, 16, 6, 5]).numbers();
      numbers[7] = Number.NaN;
      const input = tensor(numbers, [1, 16, 6, 5]).contiguous('channels-last');
      const output = noGrad(() => normalizedConvolution(norm, convolution, input));
      expect(output.numbers().some(Number.isNaN)).toBe(true);
    });
  });

  it('refuse to be differentiated twice', () => {
    tidy(() => {
      const { norm, convolution } = layersOf(SMALL, 'float32');
      const input = irregular([3, 16, 6, 5], 8).to('float32').contiguous('channels-last').detach();
      input.requiresGrad = true;
      const loss = normalizedConvolution(norm, convolution, input).sum();
      expect(() => gradients([loss], [input], { createGraph: true })).toThrow('twice');
    });
  });
});
