/** Each operation against Pillow's pixels. Where they differ, and why, is in docs/fidelity.md. */
import { describe, expect, test } from 'vitest';
import { isOwnFolder, parityJson, parityTensors } from '../../test/support/parity.js';
import { createPixels, type Pixels } from './pixels.js';
import { type OperationName, operationNames, operations } from './rand-augment.js';

interface ParityCase {
  readonly key: string;
  readonly op: string; // snake case
  readonly value?: number | null;
  readonly image: string;
}

const { cases } = parityJson<{ cases: readonly ParityCase[] }>('rand_augment.json');
const stored = parityTensors('rand_augment.safetensors');

/** A stored image: (height, width, channels), or (height, width) for one channel. */
function imageOf(name: string): Pixels {
  const tensor = stored(name);
  expect(tensor.dtype).toBe('uint8');
  const [height, width, channels = 1] = tensor.shape;
  return { data: tensor.data() as Uint8Array<ArrayBuffer>, height, width, channels };
}

function operationOf({ op }: ParityCase): OperationName {
  const name = op.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()) as OperationName;
  expect(operationNames).toContain(name);
  return name;
}

describe('RandAugment operations against Pillow', () => {
  test.each(cases)('$key', (parity) => {
    const source = imageOf(`input.${parity.image}`);
    const expected = imageOf(parity.key);
    const name = operationOf(parity);
    const row = operations[name];
    const value = 'rounded' in row ? Math.round(parity.value ?? 0) : (parity.value ?? 0);
    const actual = createPixels(source.height, source.width, source.channels);
    if (row.apply === null) actual.data.set(source.data);
    else row.apply(source, actual.data, value);

    expect(actual.data.length).toBe(expected.data.length);
    const difference = actual.data.reduce(
      (largest, level, i) => Math.max(largest, Math.abs(level - expected.data[i])),
      0,
    );
    expect(difference).toBeLessThanOrEqual(isOwnFolder && name !== 'rotate' ? 0 : 1);
  });

  test('are all there', () => {
    const covered = new Set(cases.map(operationOf));
    expect(operationNames.filter((name) => name !== 'identity' && !covered.has(name))).toEqual([]);
  });
});
