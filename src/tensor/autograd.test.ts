import { describe, expect, test } from 'vitest';
import { unhandledRejections } from '../../test/support/rejections.js';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { type DType, gradients, noGrad, ones, tidy, zeros } from './index.js';

/** Whether operators record for gradients now. */
function records(): boolean {
  return tidy(() => {
    const parameter = ones([1]);
    parameter.requiresGrad = true;
    return parameter.mul(2).requiresGrad;
  });
}

describe('noGrad', () => {
  test('records nothing for gradients, and returns what its body returns', () => {
    expect(noGrad(records)).toBe(false);
    expect(records()).toBe(true);
  });

  test('nests: the outer one lasts', () => {
    noGrad(() => {
      expect(noGrad(records)).toBe(false);
      expect(records()).toBe(false);
    });
    expect(records()).toBe(true);
  });

  test('ends when its body throws', () => {
    const failing = () =>
      noGrad(() => {
        throw new Error('within');
      });
    expect(failing).toThrow('within');
    expect(records()).toBe(true);
  });

  test('refuses an asynchronous body, handles its later failure, and records again', async () => {
    const unhandled = await unhandledRejections(() => {
      const failing = () => noGrad(() => Promise.reject(new Error('later')));
      expect(failing).toThrow(
        'noGrad() takes a synchronous function: await before it or after it, not inside',
      );
    });
    expect(unhandled).toEqual([]);
    expect(records()).toBe(true);
  });
});

describe('gradients()', () => {
  const parameter = (numbers: number[], dtype: DType = 'float32') => {
    const result = tensorOf(numbers, dtype);
    result.requiresGrad = true;
    return result;
  };

  test('leave every grad alone', () => {
    const x = parameter([1, 2]);
    const [byX] = gradients([x.pow(2).sum()], [x]);
    expectTensor(byX!, [2, 4]);
    expect(x.grad).toBeNull();
  });

  test('are null for an input that was not used', () => {
    const [x, unused] = [parameter([1]), parameter([1])];
    const [byX, byUnused] = gradients([x.mul(3)], [x, unused]);
    expectTensor(byX!, [3]);
    expect(byUnused).toBeNull();
  });

  test('add up over several outputs, each with its weights', () => {
    const x = parameter([1, 2]);
    const outputGradients = [ones([2]), tensorOf([10, 100])];
    const [byX] = gradients([x.mul(2), x.pow(2)], [x], { outputGradients });
    expectTensor(byX!, [22, 402]);
  });

  test('can be taken with respect to something in between', () => {
    const x = parameter([3]);
    const between = x.mul(2);
    const [byBetween] = gradients([between.pow(2)], [between]);
    expectTensor(byBetween!, [12]);
  });

  test('have no history of their own unless asked for', () => {
    const x = parameter([2]);
    const [plain] = gradients([x.pow(3)], [x]);
    expect(plain!.requiresGrad).toBe(false);
    const [first] = gradients([x.pow(3)], [x], { createGraph: true });
    const [second] = gradients([first!], [x]);
    expectTensor(first!, [12]);
    expectTensor(second!, [12]);
  });

  test('need weights unless the outputs are scalars', () => {
    const x = parameter([1, 2]);
    expect(() => gradients([x.mul(2)], [x])).toThrow(/^gradients\(\): .*scalar outputs/);
  });

  test('of an output that depends on no parameter are refused', () => {
    expect(() => gradients([zeros([])], [parameter([1])])).toThrow(/^gradients\(\): .*does not require grad/);
  });
});
