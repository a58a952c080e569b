/** The members of a tar archive, as GNU tar and POSIX write it: blocks of 512 bytes, each file after its header. */

import { expansionLimit, isGzip, unpackAll } from './compressed.js';
import { damaged } from './file.js';

export interface TarMember {
  /** With its folders. */
  readonly name: string;
  /** A part of the archive's own bytes. */
  readonly data: Uint8Array;
}

const BLOCK = 512;
const CHECKSUM = { start: 148, end: 156 };
const REGULAR_FILE = /^[0\0]$/;

/**
 * The files of an archive, gzip-compressed or not, by name.
 *
 * @throws InputError as {@link readTar}, or if it unpacks to more than such archives do
 */
export function readArchive(file: Buffer, path: string): ReadonlyMap<string, Uint8Array> {
  const archive = isGzip(file) ? unpackArchive(file, path) : file;
  return new Map(Array.from(readTar(archive, path), ({ name, data }) => [name, data]));
}

function unpackArchive(file: Buffer, path: string): Uint8Array {
  const expected = file.length < 4 ? 0 : file.readUInt32LE(file.length - 4); // gzip ends with the length of what it packs
  return unpackAll({ data: file, method: 'gzip', path }, expansionLimit(file.length), expected).unpacked;
}

/**
 * The regular files of an archive, in order. Folders, links and extended headers are passed over.
 *
 * @param path names the archive in error messages
 * @throws InputError if a header is damaged or a file is cut off
 */
export function* readTar(archive: Uint8Array, path: string): Generator<TarMember> {
  for (let at = 0; at < archive.length; ) {
    const header = Buffer.from(archive.buffer, archive.byteOffset + at, Math.min(BLOCK, archive.length - at));
    if (header.every((byte) => byte === 0)) return; // the end mark
    checkHeader(header, at, path);
    const size = octal(header, 124, 136);
    const start = at + BLOCK;
    const name = text(header, 0, 100);
    if (Number.isNaN(size)) throw damaged(path, `${name} has no length, at byte ${at + 124} of the archive`);
    if (start + size > archive.length) {
      throw damaged(path, `truncated in ${name}, at byte ${archive.length - start} of its ${size}`);
    }
    const prefix = text(header, 257, 263) === 'ustar' ? text(header, 345, 500) : '';
    if (REGULAR_FILE.test(String.fromCharCode(header[156]))) {
      yield { name: prefix ? `${prefix}/${name}` : name, data: archive.subarray(start, start + size) };
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
}

/** The sum of a header's bytes, with its own field taken as blanks, stands in the header. */
function checkHeader(header: Buffer, at: number, path: string): void {
  const { start, end } = CHECKSUM;
  let sum = (end - start) * 0x20;
  header.forEach((byte, i) => {
    if (i < start || i >= end) sum += byte;
  });
  if (header.length < BLOCK || octal(header, start, end) !== sum) {
    throw damaged(path, `not a tar archive, or damaged, at its byte ${at}`);
  }
}

/** The characters up to a zero byte. */
function text(header: Buffer, start: number, end: number): string {
  const field = header.toString('latin1', start, end);
  const zero = field.indexOf('\0');
  return zero < 0 ? field : field.slice(0, zero);
}

function octal(header: Buffer, start: number, end: number): number {
  const digits = text(header, start, end).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}
