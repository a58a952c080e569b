/** Numbers in and out: every dtype, every kind of buffer. */
import { describe, expect, test } from 'vitest';
import { expectTensor } from '../../test/support/tensors.js';
import { type DType, type TypedArray, tensor, zeros } from './index.js';

/** The extremes of each type, as an array of its own kind. */
const extremes = {
  uint8: Uint8Array.of(0, 1, 255),
  int8: Int8Array.of(-128, 0, 127),
  int16: Int16Array.of(-32768, 0, 32767),
  int32: Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1),
  int64: BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n),
  float16: Uint16Array.of(0x3e00, 0xc000, 0x7bff), // 1.5, −2, 65504
  float32: Float32Array.of(-1.5, Number.NaN, Infinity, 2 ** -149),
  float64: Float64Array.of(0.1, -0, Number.MAX_VALUE, -Infinity),
  bool: Uint8Array.of(0, 1, 1),
  bfloat16: Uint16Array.of(0x3fc0, 0xc000, 0x7f80), // 1.5, −2, infinity
} satisfies Record<DType, TypedArray>;

describe('typed arrays', () => {
  test.each(Object.entries(extremes) as [DType, TypedArray][])(
    'of %s go in and out unchanged',
    (dtype, array) => {
      const inside = tensor(array, [array.length], dtype);
      expect(inside.dtype).toBe(dtype);
      expect(inside.data()).toEqual(array);
    },
  );

  const named = Object.entries(extremes).filter(
    ([dtype]) => !['bool', 'float16', 'bfloat16'].includes(dtype),
  );
  test.each(named)('of %s need no dtype', (dtype, array) => {
    expect(tensor(array).dtype).toBe(dtype);
  });

  test.each(Object.keys(extremes) as DType[])('of %s may be empty', (dtype) => {
    expect(zeros([0, 2], { dtype }).data()).toHaveLength(0);
  });

  test('of 16-bit floats hold their bits', () => {
    expect(tensor(extremes.float16, [3], 'float16').numbers()).toEqual([1.5, -2, 65504]);
    expect(tensor(extremes.bfloat16, [3], 'bfloat16').numbers()).toEqual([1.5, -2, Infinity]);
  });

  test('over shared memory go in', () => {
    const shared = new Float32Array(new SharedArrayBuffer(12));
    shared.set([1, 2, 3]);
    expectTensor(tensor(shared), [1, 2, 3]);
  });

  test('that start in the middle of their buffer, shared or not, go in from there', () => {
    for (const buffer of [new ArrayBuffer(12), new SharedArrayBuffer(12)]) {
      new Float32Array(buffer).set([1, 2, 3]);
      expectTensor(tensor(new Float32Array(buffer, 4)), [2, 3]);
      expectTensor(tensor(new Float32Array(buffer, 4, 1)), [2]);
    }
  });

  test('that are Buffers are bytes', () => {
    expectTensor(tensor(Buffer.from('AZ')), [65, 90], { dtype: 'uint8' });
  });
});
