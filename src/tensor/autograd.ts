import { native } from './native.js';
import { refusePromise } from './scope.js';
import { Tensor } from './tensor.js';

/** Runs `body` without recording for gradients. @throws Error when `body` is asynchronous */
export function noGrad<T>(body: () => T): T {
  const before = native().isGradEnabled();
  native().setGradEnabled(false);
  try {
    const result = body();
    refusePromise(result, 'noGrad');
    return result;
  } finally {
    native().setGradEnabled(before);
  }
}

/**
 * The gradients of `outputs` with respect to `inputs`, without touching any `grad`.
 * @param options.outputGradients weights of the outputs' elements; needed unless the outputs are scalars
 * @param options.createGraph makes the result differentiable again
 * @returns one per input; null for an input that the outputs do not depend on
 */
export function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: { outputGradients?: readonly Tensor[]; createGraph?: boolean } = {},
): (Tensor | null)[] {
  const handles = (tensors: readonly Tensor[]) => tensors.map((tensor) => tensor.handle);
  return native()
    .gradients(
      handles(outputs),
      handles(inputs),
      options.outputGradients === undefined ? null : handles(options.outputGradients),
      options.createGraph ?? false,
    )
    .map((handle) => (handle === null ? null : new Tensor(handle)));
}
