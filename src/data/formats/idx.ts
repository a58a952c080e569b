/**
 * The IDX format of MNIST and its relatives, plain or gzip-compressed: two zero bytes, a type (8 = unsigned byte), the
 * number of dimensions, each dimension as a big-endian 32-bit integer, then the elements in row-major order.
 */

import { InputError } from '../../errors.js';
import { checkExpansion, isGzip, type Packed, unpackAll, unpackStart } from './compressed.js';
import { damaged, readInputFile } from './file.js';

/** Contents of an IDX file of unsigned bytes. */
export interface IdxArray {
  readonly shape: readonly number[];
  /** The elements, as many as the product of `shape`; 0…255. */
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const FIXED_HEADER = 4;

/**
 * Reads a file of images: three dimensions, count × height × width.
 *
 * @throws InputError if the file is missing, not an IDX file of that form, truncated, or longer than its header says.
 */
export function readIdxImages(path: string): IdxArray {
  return parseIdx(readInputFile(path), { path, dimensions: 3, content: 'images' });
}

/**
 * Reads a file of labels: one dimension.
 *
 * @throws InputError as {@link readIdxImages} does.
 */
export function readIdxLabels(path: string): IdxArray {
  return parseIdx(readInputFile(path), { path, dimensions: 1, content: 'labels' });
}

interface Expected {
  /** Names the file in error messages. */
  readonly path: string;
  readonly dimensions: number;
  readonly content: string;
}

/** Parses the bytes of an IDX file. Allocates no more than its header justifies, and checks that against its length. */
export function parseIdx(file: Uint8Array, expected: Expected): IdxArray {
  const { path } = expected;
  const headerSize = FIXED_HEADER + 4 * expected.dimensions;
  const packed: Packed | null = isGzip(file) ? { data: file, method: 'gzip', path } : null;
  const header = packed ? unpackStart(packed, headerSize) : file.subarray(0, headerSize);
  const shape = parseHeader(header, expected);
  const size = headerSize + shape.reduce((product, length) => product * length, 1);
  const content = packed ? unpackChecked(packed, size) : file;
  checkLength(content.length, size, path);
  return { shape, data: content.subarray(headerSize) };
}

function unpackChecked(packed: Packed, size: number): Uint8Array {
  const { data, path } = packed;
  checkExpansion(size, data.length, path);
  const { unpacked, consumed } = unpackAll(packed, size);
  if (consumed < data.length)
    throw damaged(path, `has bytes after its compressed content, from byte ${consumed} on`);
  return unpacked;
}

function parseHeader(header: Uint8Array, { path, dimensions, content }: Expected): number[] {
  if (header.length < FIXED_HEADER || header[0] !== 0 || header[1] !== 0) {
    throw new InputError(`${path}: not an IDX file (it must start with two zero bytes, at byte 0)`);
  }
  if (header[2] !== UNSIGNED_BYTE) {
    throw new InputError(
      `${path}: elements of type 0x${header[2].toString(16)} at byte 2, but only unsigned bytes (0x8) are ${content}`,
    );
  }
  if (header[3] !== dimensions) {
    throw new InputError(`${path}: ${header[3]} dimensions at byte 3, but ${content} have ${dimensions}`);
  }
  if (header.length < FIXED_HEADER + 4 * dimensions) {
    throw damaged(path, `truncated in its header, at byte ${header.length}`);
  }
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  return Array.from({ length: dimensions }, (_, i) => view.getUint32(FIXED_HEADER + 4 * i));
}

function checkLength(length: number, expected: number, path: string): void {
  if (length < expected) {
    throw damaged(path, `truncated at byte ${length} of the ${expected} that its header promises`);
  }
  if (length > expected) {
    throw damaged(path, `has ${length - expected} bytes too many, from byte ${expected} on`);
  }
}
