/** Tensors from and to nested arrays, and comparisons that say where two tensors differ. */
import { expect } from 'vitest';
import { type DType, Generator, type Tensor, tensor, uniform } from '../../src/tensor/index.js';

/** A number is a tensor of no dimensions, [[1, 2], [3, 4]] one of shape [2, 2]. */
export type Nested = number | readonly Nested[];

function shapeOf(nested: Nested): number[] {
  return typeof nested === 'number' ? [] : [nested.length, ...shapeOf(nested[0] ?? 0)];
}

function flat(nested: Nested): number[] {
  return typeof nested === 'number' ? [nested] : nested.flatMap(flat);
}

export function tensorOf(nested: Nested, dtype?: DType): Tensor {
  return tensor(flat(nested), shapeOf(nested), dtype);
}

/** float64 numbers without pattern from [−1, 1), the same at every call: inputs for gradient checks. */
export function irregular(shape: readonly number[], seed = 1): Tensor {
  return uniform(shape, -1, 1, { dtype: 'float64', generator: new Generator(seed) });
}

/** Asserts shape, type and every element, NaN and infinities included. */
export function expectTensor(
  actual: Tensor,
  expected: Nested,
  options: { dtype?: DType; tolerance?: number } = {},
): void {
  const { dtype = 'float32', tolerance = 1e-6 } = options;
  const shape = shapeOf(expected);
  expect({ shape: actual.shape, dtype: actual.dtype }).toEqual({ shape, dtype });
  expectNumbers(actual.numbers(), flat(expected), { shape, tolerance });
}

/** Asserts that the numbers agree within `tolerance`, relative above 1 and absolute below. */
export function expectNumbers(
  actual: readonly number[],
  expected: readonly number[],
  options: { shape?: readonly number[]; tolerance?: number; what?: string } = {},
): void {
  const { shape = [expected.length], tolerance = 1e-6, what = 'the tensor' } = options;
  expect(actual.length, `the number of elements of ${what}`).toBe(expected.length);
  for (const [position, value] of actual.entries()) {
    if (agrees(value, expected[position], tolerance)) continue;
    const where = `[${indicesOf(position, shape).join(', ')}]`;
    expect.fail(
      `${what} has ${value} at ${where}, expected ${expected[position]} (all: ${actual.slice(0, 20)})`,
    );
  }
}

function agrees(actual: number, expected: number, tolerance: number): boolean {
  if (!Number.isFinite(actual) || !Number.isFinite(expected)) return Object.is(actual, expected);
  return Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected));
}

/** Row-major position → one index per dimension. */
export function indicesOf(position: number, shape: readonly number[]): number[] {
  const indices: number[] = [];
  let rest = position;
  for (const length of shape.toReversed()) {
    indices.unshift(rest % length);
    rest = Math.floor(rest / length);
  }
  return indices;
}
