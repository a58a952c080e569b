/** Gradients by backpropagation against central differences. */
import { gradients, noGrad, type Tensor, tensor, tidy } from '../../src/tensor/index.js';
import { expectNumbers } from './tensors.js';

export interface GradientCheckOptions {
  /** half the distance between the two values of a central difference */
  readonly step?: number;
  /** of a derivative: relative above 1, absolute below */
  readonly tolerance?: number;
}

/**
 * Asserts that `gradients()` of `compute(...inputs)` with respect to every element of every input equals its central
 * difference (f(x + h) − f(x − h)) / 2h. The output, of any shape, is first weighted with irregular numbers and
 * summed, so that errors cannot cancel. Inputs are perturbed in place and restored: `compute` may also reach them
 * by itself, as a module does its parameters: `checkGradients(() => module.forward(images), module.parameters())`.
 * It must give the same output for the same inputs: reset generators inside it, stay away from kinks.
 * @param inputs float64 leaves
 */
export function checkGradients(
  compute: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradientCheckOptions = {},
): void {
  const { step = 1e-6, tolerance = 1e-6 } = options;
  for (const [i, input] of inputs.entries()) {
    if (input.dtype !== 'float64') {
      throw new TypeError(`central differences need float64, but input ${i} is ${input.dtype}`);
    }
  }
  const requiredGrad = inputs.map((input) => input.requiresGrad);
  for (const input of inputs) input.requiresGrad = true;
  try {
    tidy(() => {
      const output = compute(...inputs);
      const weights = tensor(
        Float64Array.from({ length: output.size }, (_, i) => Math.cos(1 + 1.7 * i)),
        output.shape,
      );
      const backward = gradients([output], inputs, { outputGradients: [weights] });
      const weighted = () =>
        tidy(() =>
          compute(...inputs)
            .mul(weights)
            .sum()
            .item(),
        );
      for (const [i, input] of inputs.entries()) {
        const shape = input.shape;
        const differences = centralDifferences(weighted, input, step);
        // an input that the output does not depend on has no gradient
        const derivatives = backward[i]?.numbers() ?? differences.map(() => 0);
        expectNumbers(derivatives, differences, { shape, tolerance, what: `the gradient of input ${i}` });
      }
    });
  } finally {
    for (const [i, input] of inputs.entries()) input.requiresGrad = requiredGrad[i];
  }
}

function centralDifferences(value: () => number, input: Tensor, step: number): number[] {
  const original = input.numbers();
  const assign = (numbers: readonly number[]) =>
    tidy(() => noGrad(() => input.copyInPlace(tensor(numbers, input.shape, 'float64'))));
  try {
    return original.map((number, position) => {
      assign(original.with(position, number + step));
      const above = value();
      assign(original.with(position, number - step));
      return (above - value()) / (2 * step);
    });
  } finally {
    assign(original);
  }
}
