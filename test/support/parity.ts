/**
 * The parity folder: inputs and outputs of the published implementation, described in `test/fixtures/parity/README.md`.
 * `FEATMATCH_PARITY` may name another folder of the same form. Only tests named `*.parity.test.ts` read it: `npm run test:parity` is all of them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { readSafetensors } from '../../src/runs/safetensors.js';
import { setConvolutionAlgorithm, type Tensor, tensor } from '../../src/tensor/index.js';
import { indicesOf } from './tensors.js';

const OTHER_FOLDER = process.env.FEATMATCH_PARITY || undefined;
const FOLDER = OTHER_FOLDER ?? fileURLToPath(new URL('../fixtures/parity/', import.meta.url));

/** Whether the folder is the project's own copy, of which more is known than of any. */
export const isOwnFolder = OTHER_FOLDER === undefined;

// The published numbers come from direct convolutions. Winograd's are compared with them in src/nn/conv3x3.test.ts.
setConvolutionAlgorithm('direct');

/** The tolerances that the README of the folder sets. */
export const OUTPUT_TOLERANCE = 1e-4;
export const GRADIENT_TOLERANCE = 1e-3;

/** A parameter as the JSON files describe it; its numbers are those of {@link fillParameter}. */
export interface ParityParameter {
  readonly index: number;
  readonly name: string;
  readonly shape: readonly number[];
  /** L2 norm of its gradient; null where no gradient reaches it */
  readonly grad_l2: number | null;
}

export interface ParameterFill {
  readonly base_seed: number;
}

/** The file names that match, sorted. */
export function parityFiles(pattern: RegExp): string[] {
  return readdirSync(FOLDER)
    .filter((name) => pattern.test(name))
    .sort();
}

export function parityJson<T>(file: string): T {
  return JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as T;
}

/** The tensors of a safetensors file, one by one by name. */
export function parityTensors(file: string): (name: string) => Tensor {
  const { tensors } = readSafetensors(join(FOLDER, file));
  return (name) => {
    const stored = tensors.get(name);
    if (stored === undefined) throw new Error(`${join(FOLDER, file)} has no tensor '${name}'`);
    return tensor(stored.data, stored.shape);
  };
}

/** The numbers of a parameter: r_0, r_1, … of mulberry32, spread over an interval that its name and shape tell. */
export function fillParameter({ index, name, shape }: ParityParameter, { base_seed }: ParameterFill): Tensor {
  const [low, high] = fillInterval(name, shape);
  const random = mulberry32(base_seed + index);
  const size = shape.reduce((product, length) => product * length, 1);
  return tensor(
    Float32Array.from({ length: size }, () => low + (high - low) * random()),
    shape,
  );
}

function fillInterval(name: string, shape: readonly number[]): [number, number] {
  if (shape.length === 1) return name.endsWith('weight') ? [0.5, 1.5] : [-0.1, 0.1];
  const bound = Math.sqrt(3 / shape.slice(1).reduce((product, length) => product * length, 1));
  return [-bound, bound];
}

/** mulberry32 (Tommy Ettinger): 32 bits of state, numbers in [0, 1). */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Asserts that the tensors agree within the tolerance, relative to the expected number, or to the mean magnitude of
 * all where that is greater: a single number may be the small difference of large ones.
 */
export function expectParity(actual: Tensor, expected: Tensor, tolerance = OUTPUT_TOLERANCE): void {
  expect(actual.shape).toEqual(expected.shape);
  const numbers = expected.numbers();
  const typical = numbers.reduce((sum, number) => sum + Math.abs(number), 0) / numbers.length;
  for (const [position, number] of actual.numbers().entries()) {
    const difference = Math.abs(number - numbers[position]);
    if (difference <= tolerance * Math.max(Math.abs(numbers[position]), typical)) continue;
    const where = indicesOf(position, expected.shape).join(', ');
    expect.fail(`${number} instead of ${numbers[position]} at [${where}]`);
  }
}

/** Asserts |actual − expected| ≤ tolerance · |expected|, or of `scale` where that is greater. */
export function expectRelative(actual: number, expected: number, tolerance: number, scale = 0): void {
  const allowed = tolerance * Math.max(Math.abs(expected), scale);
  if (!(Math.abs(actual - expected) <= allowed))
    expect.fail(`${actual} is not within ${allowed} of ${expected}`);
}

/**
 * The scale below which a norm of a gradient is rounding, one thousandth of the greatest: a bias in front of a batch
 * normalization has no effect, so that its exact gradient is 0, and what is computed, here and there, is rounding.
 */
export function roundingOf(parameters: readonly ParityParameter[]): number {
  return 1e-3 * Math.max(...parameters.map(({ grad_l2 }) => grad_l2 ?? 0));
}
