import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { MAT_HEADER, type MatArrayParts, matArray, matElement } from '../../../test/support/data-files.js';
import { generatedImages, readFixture } from '../../../test/support/fixtures.js';
import { InputError } from '../../errors.js';
import { parseSvhn } from './svhn.js';

describe("SVHN's files of another writer", () => {
  test.each([
    ['train_32x32.mat', 'compressed', [1, 0, 9], 0],
    ['test_32x32.mat', 'with labels as floating-point numbers', [0, 5], 7],
    ['extra_32x32.mat', 'not compressed, with a single image', [4], 3],
  ])('%s, %s', (name, _, labels, seed) => {
    const parsed = parseSvhn(readFixture(`data/svhn/${name}`), name);
    expect([...parsed.labels]).toEqual(labels);
    expect([...parsed.images]).toEqual(generatedImages(labels.length, seed));
  });
});

const header = MAT_HEADER;
const element = matElement;
const array = matArray;
const integers = (...values: number[]) => Buffer.from(Int32Array.from(values).buffer);

const x = (changes: Partial<MatArrayParts> = {}) =>
  array({ name: 'X', shape: [32, 32, 3, 1], values: Buffer.alloc(3072), ...changes });
const y = (changes: Partial<MatArrayParts> = {}) =>
  array({ name: 'y', shape: [1, 1], values: Buffer.of(3), ...changes });

describe('a file is refused with the place', () => {
  const good = readFixture('data/svhn/train_32x32.mat');
  const bomb = deflateSync(element(14, Buffer.alloc(50_000_000)));
  const large = array({ name: 'z', shape: [200, 200], values: Buffer.alloc(40_000) });

  test.each<[string, Buffer[], RegExp]>([
    ['another kind of file', [Buffer.from('<html>')], /not a MATLAB file of level 5.*at byte 126/],
    [
      'big-endian',
      [header.subarray(0, 126), Buffer.from('MI')],
      /not a MATLAB file of level 5, little-endian/,
    ],
    ['a header only', [header], /not both the arrays "X" and "y"/],
    ['one array only', [header, x()], /not both the arrays "X" and "y"/],
    ['cut in a tag', [good.subarray(0, 133)], /array at byte 128: truncated at byte 133, in a tag/],
    [
      'cut in an array',
      [good.subarray(0, 600)],
      /truncated at byte 600, in an element of \d+ bytes at byte 128/,
    ],
    [
      'cut inside a compressed array',
      [header, element(15, deflateSync(x().subarray(0, 900)))],
      /truncated at byte 900/,
    ],
    ['damaged compression', [header, element(15, Buffer.alloc(90, 1))], /damaged zlib data/],
    [
      'compressed nothing',
      [header, element(15, deflateSync(Buffer.alloc(3)))],
      /truncated in its compressed tag/,
    ],
    [
      'compressed too much',
      [header, element(15, deflateSync(Buffer.concat([x(), Buffer.alloc(9)])))],
      /more than the/,
    ],
    [
      'a compressed element of another type',
      [header, element(15, deflateSync(element(2, Buffer.alloc(8))))],
      /of type 2/,
    ],
    [
      'another element than an array',
      [header, element(2, Buffer.alloc(8))],
      /is an element of type 2 instead/,
    ],
    [
      'a compressed one inside another',
      [header, element(15, deflateSync(element(15, bomb)))],
      /of type 15 instead/,
    ],
    ['a bomb', [header, element(15, bomb)], /promises 50000008 bytes, more than 8 times/],
    [
      'many small bombs',
      [header, ...Array(99).fill(element(15, deflateSync(large)))],
      /promises \d+ bytes, more than 8/,
    ],
    ['endless arrays', [header, ...Array(101).fill(y())], /more than 100 arrays/],
    ['text', [readFixture('data/svhn/text.mat')], /values have type 16 instead of 2 or 9/],
    [
      'flags of another type',
      [header, element(14, element(5, integers(1, 2)))],
      /flags have type 5 instead of 6/,
    ],
    [
      'a shape of another size',
      [header, x({ shape: [32, 32, 3, 2] }), y()],
      /has shape 32×32×3×2, but 3072 values/,
    ],
    ['a negative shape', [header, x({ shape: [-32, -32, 3, 1] }), y()], /has shape -32×-32×3×1/],
    [
      'images of another size',
      [header, x({ shape: [64, 16, 3, 1] }), y()],
      /"X" has shape 64×16×3×1 instead of 32×32×3/,
    ],
    [
      'images of floating-point numbers',
      [header, x({ type: 9, values: Buffer.alloc(8 * 3072) }), y()],
      /of bytes/,
    ],
    [
      'a label too many',
      [header, x(), y({ shape: [2, 1], values: Buffer.of(1, 2) })],
      /has 2 labels for 1 images/,
    ],
    ['label 0', [header, x(), y({ values: Buffer.of(0) })], /image 0 has label 0 instead of 1 to 10/],
    ['label 11', [header, x(), y({ values: Buffer.of(11) })], /image 0 has label 11/],
    [
      'half a label',
      [header, x(), y({ type: 9, values: Buffer.from(Float64Array.of(1.5).buffer) })],
      /label 1.5/,
    ],
  ])('%s', (_, parts, message) => {
    const file = Buffer.concat(parts);
    expect(() => parseSvhn(file, 'a.mat')).toThrow(InputError);
    expect(() => parseSvhn(file, 'a.mat')).toThrow(message);
    expect(() => parseSvhn(file, 'a.mat')).toThrow(/^a\.mat: [^\n]*$/);
  });

  test('but not the file that these are made from', () => {
    expect([...parseSvhn(Buffer.concat([header, x(), y()]), 'a.mat').labels]).toEqual([3]);
  });
});
