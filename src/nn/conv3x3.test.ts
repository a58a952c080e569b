/** Winograd's convolution, float32 and channels-last, against libtorch's own in double precision. */
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { irregular } from '../../test/support/tensors.js';
import {
  conv2d,
  conv3x3,
  type DType,
  gradients,
  noGrad,
  setConvolutionAlgorithm,
  setThreads,
  type Tensor,
  tensor,
  tidy,
} from '../tensor/index.js';

beforeAll(() => setThreads(1));
afterEach(() => {
  setThreads(1);
  setConvolutionAlgorithm('winograd');
});

interface Size {
  readonly batch: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly height: number;
  readonly width: number;
}

const NAMES = ['output', 'input gradient', 'weight gradient', 'bias gradient'] as const;
type Results = Record<(typeof NAMES)[number], number[]>;

/** Forward and backward pass on irregular numbers, the same for every type and way. */
function run(
  convolve: typeof conv3x3,
  { batch, inputs, outputs, height, width }: Size,
  dtype: DType,
): Results {
  return tidy(() => {
    const leaf = (value: Tensor) => {
      const made = value.to('float32').to(dtype).detach();
      made.requiresGrad = true;
      return made;
    };
    const images = leaf(irregular([batch, inputs, height, width], 1).contiguous('channels-last'));
    const weight = leaf(irregular([outputs, inputs, 3, 3], 2));
    const bias = leaf(irregular([outputs], 3));
    const output = convolve(images, weight, bias);
    output.backward(irregular(output.shape, 4).to('float32').to(dtype).contiguous('channels-last'));
    const results = [output, images.grad, weight.grad, bias.grad].map((value) => value?.numbers() ?? []);
    return Object.fromEntries(NAMES.map((name, i) => [name, results[i]])) as Results;
  });
}

const direct: typeof conv3x3 = (input, weight, bias) => conv2d(input, weight, { bias, padding: 1 });

/** The greatest difference as a share of the greatest number. */
function error(actual: readonly number[], expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  const greatest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const differences = actual.map((value, i) => Math.abs(value - expected[i]));
  return differences.reduce((most, value) => Math.max(most, value), 0) / greatest;
}

describe('the 3×3 convolution by minimal filtering', () => {
  it('is the convolution, forward and backward, for every size of map, batch and channels', () => {
    const size = fc.record({
      batch: fc.integer({ min: 1, max: 5 }),
      inputs: fc.integer({ min: 1, max: 5 }).map((eighths) => 8 * eighths),
      outputs: fc.integer({ min: 1, max: 5 }).map((eighths) => 8 * eighths),
      height: fc.integer({ min: 1, max: 14 }),
      width: fc.integer({ min: 1, max: 14 }),
    });
    fc.assert(
      fc.property(size, (drawn) => {
        const actual = run(conv3x3, drawn, 'float32');
        const expected = run(direct, drawn, 'float64');
        for (const name of NAMES) expect(error(actual[name], expected[name]), name).toBeLessThan(2e-5);
      }),
      { numRuns: 60, examples: [[{ batch: 9, inputs: 64, outputs: 128, height: 16, width: 16 }]] },
    );
  });

  it('is another way than the direct one, which can be chosen', () => {
    const size = { batch: 2, inputs: 32, outputs: 32, height: 8, width: 8 };
    const exact = run(direct, size, 'float32');
    expect(run(conv3x3, size, 'float32').output).not.toEqual(exact.output);
    setConvolutionAlgorithm('direct');
    expect(run(conv3x3, size, 'float32')).toEqual(exact);
  });

  it('gives the same bits for every number of threads', () => {
    const size = { batch: 7, inputs: 24, outputs: 40, height: 13, width: 9 };
    const alone = run(conv3x3, size, 'float32');
    setThreads(3);
    const { 'bias gradient': _, ...shared } = run(conv3x3, size, 'float32'); // libtorch's own sum
    expect(alone).toMatchObject(shared);
  });

  it.each([
    ['3 input channels', { inputs: 3 }],
    ['20 output channels', { outputs: 20 }],
  ])('leaves %s to libtorch', (_, channels) => {
    const size = { batch: 2, inputs: 16, outputs: 16, height: 6, width: 6, ...channels };
    expect(run(conv3x3, size, 'float32')).toEqual(run(direct, size, 'float32'));
  });

  it('takes maps of another layout, and gives gradients only to what needs them', () => {
    tidy(() => {
      const images = irregular([2, 16, 6, 6], 1).to('float32');
      const weight = irregular([16, 16, 3, 3], 2).to('float32');
      weight.requiresGrad = true;
      const output = conv3x3(images, weight, null);
      expect(error(output.numbers(), direct(images, weight, null).numbers())).toBeLessThan(2e-5);
      output.sum().backward();
      expect(weight.grad?.shape).toEqual([16, 16, 3, 3]);
      expect(images.grad).toBeNull();
    });
  });

  it('shows a NaN, so that divergence is seen', () => {
    tidy(() => {
      const images = irregular([1, 8, 4, 4]).to('float32').contiguous('channels-last');
      images
        .narrow(1, 3, 1)
        .narrow(2, 1, 1)
        .narrow(3, 1, 1)
        .copyInPlace(tensor([Number.NaN]).reshape(1, 1, 1, 1));
      const output = noGrad(() => conv3x3(images, irregular([8, 8, 3, 3], 2).to('float32'), null));
      expect(output.numbers().some(Number.isNaN)).toBe(true);
    });
  });

  it('refuses to be differentiated twice, and shapes that do not fit', () => {
    tidy(() => {
      const images = irregular([1, 8, 4, 4]).to('float32').contiguous('channels-last');
      images.requiresGrad = true;
      const weight = irregular([8, 8, 3, 3], 2).to('float32');
      const loss = () => conv3x3(images, weight, null).sum();
      expect(() => gradients([loss()], [images], { createGraph: true })).toThrow('twice');
      expect(() => conv3x3(images, irregular([8, 4, 3, 3]).to('float32'), null)).toThrow('does not fit');
    });
  });
});
