/** Prototypes as rows that may come in any order within a class. */
import { expect } from 'vitest';
import type { Prototypes } from '../../src/ssl/featmatch/prototypes.js';
import type { Tensor } from '../../src/tensor/index.js';
import { expectNumbers } from './tensors.js';

interface Row {
  readonly features: number[];
  readonly label: number;
  readonly fromLabeled: boolean;
}

export function rowsOf(features: Tensor, labels: ArrayLike<number>, fromLabeled: readonly boolean[]): Row[] {
  const [count, length] = features.shape;
  const numbers = features.numbers();
  return Array.from({ length: count }, (_, i) => ({
    features: numbers.slice(i * length, (i + 1) * length),
    label: labels[i],
    fromLabeled: fromLabeled[i],
  }));
}

export const selectedRows = ({ features, labels, fromLabeled }: Prototypes) =>
  rowsOf(features, labels, fromLabeled);

/** Asserts the same rows, in any order within a class: each expected one is the nearest of the actual ones, and close. */
export function expectSameRows(actual: readonly Row[], expected: readonly Row[]): void {
  expect(actual.length).toBe(expected.length);
  const left = [...actual];
  for (const row of expected) {
    const distance = (other: Row) => Math.hypot(...row.features.map((x, i) => x - other.features[i]));
    const candidates = left.filter(
      ({ label, fromLabeled }) => label === row.label && fromLabeled === row.fromLabeled,
    );
    const [nearest] = candidates.toSorted((a, b) => distance(a) - distance(b));
    expect(nearest, `a prototype of class ${row.label}`).toBeDefined();
    expectNumbers(nearest.features, row.features, { tolerance: 1e-4, what: 'the nearest prototype' });
    left.splice(left.indexOf(nearest), 1);
  }
}
