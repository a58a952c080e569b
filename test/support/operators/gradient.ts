/** Tensor: what belongs to gradients. The derivatives themselves are checked in gradients.test.ts. */
import { expect } from 'vitest';
import { ones, type Tensor, tensor } from '../../../src/tensor/index.js';
import { expectTensor, tensorOf } from '../tensors.js';
import type { TensorPromises } from './promises.js';

function parameterOf(numbers: number[]): Tensor {
  const parameter = tensorOf(numbers);
  parameter.requiresGrad = true;
  return parameter;
}

export const gradient = {
  requiresGrad: {
    'is off unless set, and passed on to results': () => {
      const numbers = tensorOf([1, 2]);
      expect(numbers.requiresGrad).toBe(false);
      numbers.requiresGrad = true;
      expect(numbers.requiresGrad).toBe(true);
      expect(numbers.mul(2).requiresGrad).toBe(true);
      numbers.requiresGrad = false;
      expect(numbers.mul(2).requiresGrad).toBe(false);
    },
    'cannot be set on integers': () => {
      const integers = tensor(Int32Array.of(1));
      expect(() => {
        integers.requiresGrad = true;
      }).toThrow(/^requiresGrad: .*floating point/);
    },
  },
  backward: {
    'adds to what earlier calls left': () => {
      const parameter = parameterOf([1, 2]);
      parameter.mul(parameter).sum().backward();
      expectTensor(parameter.grad!, [2, 4]);
      parameter.mul(3).sum().backward();
      expectTensor(parameter.grad!, [5, 7]);
    },
    'weights the elements with the given gradient': () => {
      const parameter = parameterOf([1, 2]);
      parameter.mul(parameter).backward(tensorOf([10, 1]));
      expectTensor(parameter.grad!, [20, 4]);
    },
    'needs that gradient unless the tensor is a scalar': () => {
      expect(() => parameterOf([1, 2]).mul(2).backward()).toThrow(/^backward\(\): .*scalar outputs/);
    },
    'frees the graph unless retainGraph says otherwise': () => {
      const parameter = parameterOf([1, 2]);
      const retained = parameter.mul(parameter).sum();
      retained.backward(undefined, { retainGraph: true });
      retained.backward();
      expectTensor(parameter.grad!, [4, 8]);
      expect(() => retained.backward()).toThrow(
        /^backward\(\): Trying to backward through the graph a second time/,
      );
    },
    'of something without parameters is an error': () => {
      expect(() => tensorOf(1).backward()).toThrow(/^backward\(\): .*does not require grad/);
    },
  },
  grad: {
    'is null before the first backward()': () => {
      expect(parameterOf([1]).grad).toBeNull();
    },
    'has the shape of the parameter even when that was broadcast': () => {
      const parameter = parameterOf([1, 2]);
      ones([3, 2]).mul(parameter).sum().backward();
      expectTensor(parameter.grad!, [3, 3]);
    },
  },
  clearGrad: {
    'lets the next backward() start from zero': () => {
      const parameter = parameterOf([1, 2]);
      parameter.mul(5).sum().backward();
      parameter.clearGrad();
      expect(parameter.grad).toBeNull();
      parameter.mul(3).sum().backward();
      expectTensor(parameter.grad!, [3, 3]);
    },
  },
  detach: {
    'lets no gradient through': () => {
      const parameter = parameterOf([1, 2]);
      const detached = parameter.mul(2).detach();
      expect(detached.requiresGrad).toBe(false);
      parameter.mul(detached).sum().backward();
      expectTensor(parameter.grad!, [2, 4]);
    },
  },
} satisfies TensorPromises;
