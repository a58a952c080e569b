/**
 * Every operator against numbers worked out by hand. The tables in test/support/operators are keyed by the operator's
 * name; the last tests here fail when one is missing.
 */
import { describe, expect, test } from 'vitest';
import { arithmetic } from '../../test/support/operators/arithmetic.js';
import { comparison } from '../../test/support/operators/comparison.js';
import { conversion } from '../../test/support/operators/conversion.js';
import { creation } from '../../test/support/operators/creation.js';
import { functional } from '../../test/support/operators/functional.js';
import { gradient } from '../../test/support/operators/gradient.js';
import type { Promises } from '../../test/support/operators/promises.js';
import { reduction } from '../../test/support/operators/reduction.js';
import { shape } from '../../test/support/operators/shape.js';
import * as createExports from './create.js';
import * as functionalExports from './functional.js';
import { liveTensors, Tensor, tidy } from './index.js';

const methods: Record<string, Promises> = {
  ...conversion,
  ...gradient,
  ...shape,
  ...arithmetic,
  ...comparison,
  ...reduction,
};

/** Each promise runs in a scope of its own, after which no tensor is left, whatever the operator made. */
function check(prefix: string, table: Readonly<Record<string, Promises>>): void {
  for (const [name, promises] of Object.entries(table)) {
    describe(`${prefix}${name}`, () => {
      for (const [sentence, promise] of Object.entries(promises)) {
        test(sentence, () => {
          const before = liveTensors();
          tidy(promise);
          expect(liveTensors(), 'tensors alive after the scope').toBe(before);
        });
      }
    });
  }
}

check('Tensor.', methods);
check('', creation);
check('', functional);

describe('these tests', () => {
  test('cover every method, getter and setter of Tensor', () => {
    const members = Object.getOwnPropertyNames(Tensor.prototype).filter((name) => name !== 'constructor');
    expect(Object.keys(methods).sort()).toEqual([...members, 'handle'].sort());
  });

  test('cover every function that makes tensors', () => {
    expect(Object.keys(creation).sort()).toEqual(Object.keys(createExports).sort());
  });

  test('cover every operator of networks', () => {
    expect(Object.keys(functional).sort()).toEqual(Object.keys(functionalExports).sort());
  });

  test('promise something about each', () => {
    for (const [name, promises] of Object.entries({ ...methods, ...creation, ...functional })) {
      expect(Object.keys(promises), name).not.toHaveLength(0);
    }
  });
});
