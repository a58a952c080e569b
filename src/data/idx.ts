/**
 * The IDX format of MNIST and its relatives, plain or gzip-compressed: two zero bytes, a type (8 = unsigned byte), the
 * number of dimensions, each dimension as a big-endian 32-bit integer, then the elements in row-major order.
 */

import { readFileSync } from 'node:fs';
import { constants, gunzipSync, type InputType, type ZlibOptions } from 'node:zlib';
import { InputError } from '../errors.js';

/** Contents of an IDX file of unsigned bytes. */
export interface IdxArray {
  readonly shape: readonly number[];
  /** The elements, as many as the product of `shape`; 0…255. */
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const FIXED_HEADER = 4;
const MAX_DEFLATE_RATIO = 1032; // no deflate stream expands further

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

function readInputFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(
      `${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
}

/** Parses the bytes of an IDX file. Allocates no more than its header justifies, and checks that against its length. */
export function parseIdx(file: Uint8Array, expected: Expected): IdxArray {
  const { path } = expected;
  const compressed = file.length >= 2 && file[0] === 0x1f && file[1] === 0x8b;
  const headerSize = FIXED_HEADER + 4 * expected.dimensions;
  const header = compressed ? gunzipStart(file, headerSize, path) : file.subarray(0, headerSize);
  const shape = parseHeader(header, expected);
  const size = headerSize + shape.reduce((product, length) => product * length, 1);

  if (!compressed) {
    checkLength(file.length, size, path);
    return { shape, data: file.subarray(headerSize) };
  }
  if (size > file.length * MAX_DEFLATE_RATIO) {
    throw new InputError(
      `${path}: its header promises ${size} bytes, more than its ${file.length} compressed bytes can hold; get the file again`,
    );
  }
  return { shape, data: gunzipAll(file, size, path).subarray(headerSize) };
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
    throw new InputError(`${path}: truncated in its header, at byte ${header.length}; get the file again`);
  }
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  return Array.from({ length: dimensions }, (_, i) => view.getUint32(FIXED_HEADER + 4 * i));
}

function checkLength(length: number, expected: number, path: string): void {
  if (length < expected) {
    throw new InputError(
      `${path}: truncated at byte ${length} of the ${expected} that its header promises; get the file again`,
    );
  }
  if (length > expected) {
    throw new InputError(
      `${path}: has ${length - expected} bytes too many, from byte ${expected} on; get the file again`,
    );
  }
}

/** The first `length` uncompressed bytes, or fewer if there are fewer. */
function gunzipStart(file: Uint8Array, length: number, path: string): Uint8Array {
  // No gzip header with a name and 16 bytes of content needs more; the flush mode allows the rest to be missing.
  const start = file.subarray(0, 4096);
  const { buffer } = gunzip(start, path, { finishFlush: constants.Z_SYNC_FLUSH });
  return buffer.subarray(0, length);
}

function gunzipAll(file: Uint8Array, size: number, path: string): Uint8Array {
  const { buffer, consumed } = gunzip(file, path, { maxOutputLength: Math.max(1, size) });
  checkLength(buffer.length, size, path);
  if (consumed < file.length) {
    throw new InputError(
      `${path}: has bytes after its compressed content, from byte ${consumed} on; get the file again`,
    );
  }
  return buffer;
}

function gunzip(file: Uint8Array, path: string, options: ZlibOptions): { buffer: Buffer; consumed: number } {
  try {
    const result = gunzipWithInfo(file, { ...options, info: true });
    return { buffer: result.buffer, consumed: result.engine.bytesWritten };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new InputError(
        `${path}: holds more than the ${options.maxOutputLength} bytes that its header promises; get the file again`,
      );
    }
    throw new InputError(
      `${path}: damaged gzip file (${message}) of ${file.length} bytes; get the file again`,
    );
  }
}

/** With `info`, zlib also tells how much of its input it consumed; its type declarations do not know that. */
const gunzipWithInfo = gunzipSync as unknown as (
  input: InputType,
  options: ZlibOptions & { info: true },
) => { buffer: Buffer; engine: { bytesWritten: number } };
