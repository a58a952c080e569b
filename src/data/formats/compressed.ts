/** Unpacks gzip and zlib data, and never into more memory than a file of images can justify. */

import { constants, gunzipSync, type InputType, inflateSync, type ZlibOptions } from 'node:zlib';
import { InputError } from '../../errors.js';
import { damaged } from './file.js';

/** Images of the known data sets shrink to between a fifth and nine tenths, but files of tests to less. */
const MAX_EXPANSION = 8;
const ALWAYS_ALLOWED = 2 ** 20;

/** Bytes that `compressed` bytes may expand to. */
export function expansionLimit(compressed: number): number {
  return Math.max(ALWAYS_ALLOWED, MAX_EXPANSION * compressed);
}

/** @throws InputError if `size` bytes are more than `compressed` bytes may expand to */
export function checkExpansion(size: number, compressed: number, path: string): void {
  if (size <= expansionLimit(compressed)) return;
  throw new InputError(
    `${path}: promises ${size} bytes, more than ${MAX_EXPANSION} times its ${compressed} compressed ones, which images ` +
      'do not shrink to; get the file again, or unpack it yourself if it is right',
  );
}

export interface Packed {
  /** The compressed bytes, and maybe others after them. */
  readonly data: Uint8Array;
  readonly method: 'gzip' | 'zlib';
  /** Names the file in error messages. */
  readonly path: string;
}

/** Whether bytes begin as a gzip file does. */
export function isGzip(file: Uint8Array): boolean {
  return file.length >= 2 && file[0] === 0x1f && file[1] === 0x8b;
}

/** The first `length` unpacked bytes, or fewer if there are fewer. @throws InputError if they are damaged */
export function unpackStart(packed: Packed, length: number): Uint8Array {
  // No header of gzip (with a file's name) and of a format needs more; the flush mode allows the rest to be missing.
  const start = packed.data.subarray(0, 4096);
  return unpack({ ...packed, data: start }, { finishFlush: constants.Z_SYNC_FLUSH }).unpacked.subarray(
    0,
    length,
  );
}

export interface Unpacked {
  readonly unpacked: Uint8Array;
  /** How many of the packed bytes that took. */
  readonly consumed: number;
}

/**
 * All unpacked bytes, at most `limit` of them. If they are `expected` bytes, they are written once and nowhere else.
 *
 * @throws InputError if the data are damaged, cut off, or more than `limit` bytes
 */
export function unpackAll(packed: Packed, limit: number, expected = limit): Unpacked {
  const size = Math.min(expected, limit) + 1; // zlib asks for one more chunk when the first is full
  return unpack(packed, { maxOutputLength: Math.max(1, limit), chunkSize: Math.max(64, size) });
}

function unpack({ data, method, path }: Packed, options: ZlibOptions): Unpacked {
  try {
    const { buffer, engine } = (method === 'gzip' ? gunzip : inflate)(data, { ...options, info: true });
    return { unpacked: buffer, consumed: engine.bytesWritten };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'ERR_BUFFER_TOO_LARGE'
      ? damaged(path, `holds more than the ${options.maxOutputLength} bytes that it should`)
      : damaged(path, `damaged ${method} data (${message}) in its ${data.length} bytes`);
  }
}

/** With `info`, zlib also tells how much of its input it consumed; its type declarations do not know that. */
type WithInfo = (
  input: InputType,
  options: ZlibOptions & { info: true },
) => { buffer: Buffer; engine: { bytesWritten: number } };
const gunzip = gunzipSync as unknown as WithInfo;
const inflate = inflateSync as unknown as WithInfo;
