/** Derivatives by backpropagation against central differences, in float64; the tables are in test/support/operators. */
import { describe, expect, test } from 'vitest';
import { checkGradients } from '../../test/support/gradient-check.js';
import {
  type Check,
  check,
  functionDerivatives,
  functionsWithoutDerivative,
  methodDerivatives,
  methodsWithoutDerivative,
  normalization,
} from '../../test/support/operators/derivatives.js';
import { irregular } from '../../test/support/tensors.js';
import * as createExports from './create.js';
import * as functionalExports from './functional.js';
import { conv2d, gradients, liveTensors, ones, Tensor, tidy, zeros } from './index.js';

function runAll(prefix: string, table: Readonly<Record<string, Check[]>>): void {
  test.each(Object.entries(table))(`of ${prefix}%s equal central differences`, (_name, checks) => {
    const before = liveTensors();
    for (const each of checks) tidy(each);
    expect(liveTensors(), 'tensors alive after the scope').toBe(before);
  });
}

describe('gradients', () => {
  runAll('Tensor.', methodDerivatives as Record<string, Check[]>);
  runAll('', functionDerivatives);

  test('are checked for every method of Tensor, or the method has none', () => {
    const known = [...Object.keys(methodDerivatives), ...methodsWithoutDerivative.split(' ')].sort();
    expect(known).toEqual(Object.getOwnPropertyNames(Tensor.prototype).sort());
  });

  test('are checked for every function, or it has none', () => {
    const known = [...Object.keys(functionDerivatives), ...functionsWithoutDerivative.split(' ')].sort();
    expect(known).toEqual(Object.keys({ ...createExports, ...functionalExports }).sort());
  });
});

describe('gradients of gradients', () => {
  const secondOrder = {
    'a polynomial': check(
      firstGradient((x) => x.pow(4)),
      [3],
    ),
    'a softmax': check(
      firstGradient((x) => x.softmax(-1)),
      [2, 3],
    ),
    'a logarithm of a softmax': check(
      firstGradient((x) => x.logSoftmax(-1)),
      [2, 3],
    ),
    'a product of matrices': check(
      firstGradient((x, y) => x.matmul(y).pow(2)),
      [2, 3],
      [3, 2],
    ),
    'a convolution': check(
      firstGradient((x, weight) => conv2d(x, weight, { padding: 1 }).pow(2)),
      [1, 1, 3, 3],
      [2, 1, 3, 3],
    ),
    'a batch normalization': check(
      firstGradient((x) => batchNormOnly(x).pow(2)),
      [3, 2, 1, 2],
    ),
    'a norm': check(
      firstGradient((x) => x.norm([1])),
      [2, 3],
    ),
  };
  test.each(Object.entries(secondOrder))('of %s equal central differences', (_name, run) => {
    tidy(run);
  });
});

function batchNormOnly(x: Tensor): Tensor {
  return normalization(true)(x, ones([2], { dtype: 'float64' }), zeros([2], { dtype: 'float64' }));
}

/** The gradient of the weighted sum of an output by the first input, itself differentiable. */
function firstGradient(compute: (...inputs: Tensor[]) => Tensor): (...inputs: Tensor[]) => Tensor {
  return (...inputs) => {
    const output = compute(...inputs);
    const outputGradients = [irregular(output.shape, 9)];
    return gradients([output], [inputs[0]], { outputGradients, createGraph: true })[0]!;
  };
}

describe('checkGradients', () => {
  test('notices a missing part of a gradient, and says where', () => {
    expect(() => checkGradients((x) => x.detach().mul(x), [irregular([2, 2])])).toThrow(
      /the gradient of input 0 has .* at \[0, 0\], expected/,
    );
  });

  test('notices an input that the output depends on without history', () => {
    const compute = (x: Tensor, y: Tensor) => x.add(y.detach());
    expect(() => checkGradients(compute, [irregular([2]), irregular([2])])).toThrow(
      'the gradient of input 1',
    );
  });

  test('reaches inputs that the function holds by itself, and leaves them as they were', () => {
    const weight = irregular([2]);
    const before = weight.numbers();
    checkGradients((x) => x.mul(weight), [irregular([2], 2), weight]);
    expect(weight.numbers()).toEqual(before);
    expect(weight.requiresGrad).toBe(false);
    expect(() => checkGradients((x) => x.mul(weight.detach()), [irregular([2], 2), weight])).toThrow(
      'input 1',
    );
  });

  test('asks for float64', () => {
    expect(() => checkGradients((x) => x, [zeros([1])])).toThrow('need float64, but input 0 is float32');
  });
});
