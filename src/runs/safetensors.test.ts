import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  type SafetensorsTensor,
} from './safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PARITY = new URL('../../test/fixtures/parity/', import.meta.url);

/** A file with any header, however wrong, in front of `dataBytes` zeros. */
function craft(header: unknown, dataBytes: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.byteLength));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

const decode = (bytes: Uint8Array) => decodeSafetensors(bytes, 'weights.safetensors');

const anyTensor: fc.Arbitrary<SafetensorsTensor> = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
  .chain((shape) => {
    const size = shape.reduce((product, n) => product * n, 1);
    const exactly = { minLength: size, maxLength: size };
    const bytes = fc.uint8Array(exactly);
    const floats = fc.float32Array(exactly);
    return fc.oneof(
      floats.map((data) => ({ dtype: 'F32' as const, shape, data })),
      fc.float64Array(exactly).map((data) => ({ dtype: 'F64' as const, shape, data })),
      fc.uint16Array(exactly).map((data) => ({ dtype: 'F16' as const, shape, data })),
      fc.uint16Array(exactly).map((data) => ({ dtype: 'BF16' as const, shape, data })),
      fc.bigInt64Array(exactly).map((data) => ({ dtype: 'I64' as const, shape, data })),
      fc.int32Array(exactly).map((data) => ({ dtype: 'I32' as const, shape, data })),
      fc.int8Array(exactly).map((data) => ({ dtype: 'I8' as const, shape, data })),
      fc.int16Array(exactly).map((data) => ({ dtype: 'I16' as const, shape, data })),
      bytes.map((data) => ({ dtype: 'U8' as const, shape, data })),
      bytes.map((data) => ({ dtype: 'BOOL' as const, shape, data: data.map((byte) => byte & 1) })),
    );
  });
const anyName = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__');
const anyTensors = fc
  .array(fc.tuple(anyName, anyTensor), { maxLength: 6 })
  .map((entries) => new Map(entries));

describe('safetensors', () => {
  it('gives back every tensor bit for bit, and the metadata', () => {
    fc.assert(
      fc.property(anyTensors, fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
        const read = decode(encodeSafetensors(tensors, metadata));
        // toStrictEqual also compares array types, and NaN and -0 as what they are; order of a Map is not compared.
        expect(new Map([...read.tensors].sort())).toStrictEqual(new Map([...tensors].sort()));
        expect({ ...read.metadata }).toEqual({ ...metadata });
      }),
    );
  });

  it('writes the bytes of the specification: length, header padded with spaces to 8 bytes, data', () => {
    const bytes = encodeSafetensors(
      new Map([['w', { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1, -2) }]]),
      {
        format: 'pt',
      },
    );
    const json = '{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}';
    const padded = json.padEnd(Math.ceil(json.length / 8) * 8, ' ');
    expect(bytes.readBigUInt64LE()).toBe(BigInt(padded.length));
    expect(bytes.toString('latin1', 8, 8 + padded.length)).toBe(padded);
    expect(bytes.subarray(8 + padded.length)).toEqual(Buffer.from('0000803f000000c0', 'hex'));
  });

  it('places wide elements first, so that each tensor is aligned to its element size', () => {
    const bytes = encodeSafetensors(
      new Map<string, SafetensorsTensor>([
        ['byte', { dtype: 'U8', shape: [3], data: new Uint8Array(3) }],
        ['half', { dtype: 'BF16', shape: [1], data: new Uint16Array(1) }],
        ['double', { dtype: 'F64', shape: [], data: new Float64Array(1) }],
      ]),
    );
    expect([...decode(bytes).tensors.keys()]).toEqual(['double', 'half', 'byte']);
  });

  it('reads files that the reference implementation wrote', () => {
    const files = readdirSync(PARITY).filter((name) => name.endsWith('.safetensors'));
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const path = new URL(file, PARITY).pathname;
      const { tensors, metadata } = readSafetensors(path);
      expect(tensors.size).toBeGreaterThan(0);
      const again = decode(encodeSafetensors(tensors, metadata));
      for (const [name, { dtype, shape, data }] of tensors) {
        const copy = again.tensors.get(name)!;
        expect([copy.dtype, copy.shape]).toEqual([dtype, shape]);
        expect(Buffer.from(copy.data.buffer).equals(Buffer.from(data.buffer))).toBe(true);
      }
    }
  });

  it('writes a part of a larger array, and reads a part of a larger buffer', () => {
    const data = new Float32Array([0, 1, 2, 3]).subarray(1, 3);
    const bytes = encodeSafetensors(new Map([['part', { dtype: 'F32', shape: [2], data }]]));
    const { tensors } = decode(Buffer.concat([Buffer.from('x'), bytes]).subarray(1));
    expect(tensors.get('part')?.data).toEqual(Float32Array.of(1, 2));
  });

  it('refuses to write tensors whose parts do not agree', () => {
    const encode = (name: string, tensor: SafetensorsTensor) => () =>
      encodeSafetensors(new Map([[name, tensor]]));
    const data = new Float32Array(2);
    expect(encode('w', { dtype: 'F32', shape: [3], data })).toThrow(
      "tensor 'w': shape [3] does not hold 2 elements",
    );
    expect(encode('w', { dtype: 'F32', shape: [-1, -2], data })).toThrow('shape [-1,-2]');
    expect(encode('w', { dtype: 'F64', shape: [2], data })).toThrow('dtype F64 needs a Float64Array');
    expect(encode('__metadata__', { dtype: 'F32', shape: [2], data })).toThrow('cannot be named');
  });
});

describe('a broken safetensors file', () => {
  const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };

  it.each([
    ['an empty file', Buffer.alloc(0), 'it has only 0 bytes'],
    ['an enormous header length', Buffer.alloc(16, 0xff), 'ask for a header of 18446744073709551615 bytes'],
    [
      'a header that is cut off',
      craft({ w: entry }, 8).subarray(0, 20),
      'cut off inside its header, at byte 20 of',
    ],
    ['data that is cut off', craft({ w: entry }, 7), "cut off inside tensor 'w'"],
    ['bytes after the data', craft({ w: entry }, 9), '1 bytes follow its last tensor'],
    ['a header that is no JSON', craft('{"w":', 0), 'its header is not JSON'],
    ['a header that is a list', craft([], 0), 'its header is not a JSON object'],
    [
      'a header that is not UTF-8',
      Buffer.from(craft('{"~":{}}', 0).map((byte) => (byte === 0x7e ? 0xff : byte))),
      'is not JSON',
    ],
    ['a name given twice', craft('{"a":{}, "\\u0061" : {}}', 0), "has the key 'a' twice"],
    [
      'a key of a tensor given twice',
      craft('{"a":{"dtype":"U8","dtype":"F32"}}', 0),
      "has the key 'dtype' twice",
    ],
    ['an entry that is no object', craft({ w: 1 }, 0), "tensor 'w' is not described by a JSON object"],
    [
      'an unknown dtype',
      craft({ w: { ...entry, dtype: 'F4' } }, 8),
      'dtype "F4"; known are F64, I64, F32, I32',
    ],
    [
      'a dtype named as an object property',
      craft({ w: { ...entry, dtype: 'toString' } }, 8),
      'dtype "toString"',
    ],
    ['an unknown key', craft({ w: { ...entry, strides: [] } }, 8), "unknown key 'strides'"],
    ['a negative size', craft({ w: { ...entry, shape: [-2] } }, 8), 'has the shape [-2]'],
    ['a fractional size', craft({ w: { ...entry, shape: [1.5] } }, 8), 'has the shape [1.5]'],
    [
      'a shape that is too large',
      craft({ w: { ...entry, shape: [2 ** 30, 2 ** 30] } }, 8),
      'has 8 bytes where shape',
    ],
    ['a missing shape', craft({ w: { dtype: 'F32', data_offsets: [0, 8] } }, 8), 'has the shape undefined'],
    ['offsets in reverse', craft({ w: { ...entry, data_offsets: [8, 0] } }, 8), 'has the data_offsets [8,0]'],
    [
      'a gap',
      craft({ w: { ...entry, data_offsets: [4, 12] } }, 12),
      'begins at data byte 4 where 0 is expected',
    ],
    ['tensors that overlap', craft({ a: entry, b: entry }, 8), 'begins at data byte 0 where 8 is expected'],
    [
      'metadata that is no text',
      craft({ __metadata__: { step: 1 } }, 0),
      "__metadata__ 'step' is not a string",
    ],
    ['metadata that is a list', craft({ __metadata__: [] }, 0), '__metadata__ is not a JSON object'],
  ])('with %s is refused in one sentence that names the file', (_what, bytes, sentence) => {
    expect(() => decode(bytes)).toThrow(InputError);
    expect(() => decode(bytes)).toThrow(/^weights\.safetensors is not a valid safetensors file: /);
    expect(() => decode(bytes)).toThrow(sentence);
  });

  it('that does not exist is refused by name', () => {
    expect(() => readSafetensors(join(folder, 'missing'))).toThrow(InputError);
    expect(() => readSafetensors(join(folder, 'missing'))).toThrow(/cannot read .*missing/);
  });

  it('never gives anything but a complete file or an InputError, wherever it is damaged', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(anyTensors, damage, fc.option(fc.nat()), (tensors, changes, cut) => {
        const bytes = encodeSafetensors(tensors);
        for (const [at, value] of changes) bytes[at % bytes.byteLength] = value;
        try {
          const read = decode(cut === null ? bytes : bytes.subarray(0, cut % bytes.byteLength));
          for (const { shape, data } of read.tensors.values()) {
            expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('that is cut off anywhere is refused', () => {
    const bytes = encodeSafetensors(
      new Map([['w', { dtype: 'F32', shape: [2], data: new Float32Array(2) }]]),
    );
    for (let length = 0; length < bytes.byteLength; length++) {
      expect(() => decode(bytes.subarray(0, length))).toThrow(InputError);
    }
  });

  it('with a header text of many megabytes is read', () => {
    const metadata = { note: '"\\'.repeat(5_000_000) };
    expect(decode(encodeSafetensors(new Map(), metadata)).metadata.note.length).toBe(10_000_000);
  });
});
