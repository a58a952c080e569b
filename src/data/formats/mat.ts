/**
 * Arrays of bytes or numbers from MATLAB files of level 5, the format of SVHN: a header of 128 bytes, then elements,
 * each a tag (type and length) and content. An array is an element that holds four others (flags, dimensions, name,
 * values), and may lie zlib-compressed inside a further one.
 *
 * Source: MathWorks, "MAT-File Format", https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
 */

import { InputError } from '../../errors.js';
import { checkExpansion, unpackAll, unpackStart } from './compressed.js';
import { damaged } from './file.js';

export interface MatArray {
  readonly shape: readonly number[];
  /** The elements in column-major order: the first index runs fastest. */
  readonly data: Uint8Array | Float64Array;
}

const HEADER = 128;
const LITTLE_ENDIAN = 'IM';
const TAG = 8;
/** A file with more arrays is no data set, and unpacking each takes time. */
const MAX_ARRAYS = 100;

// Types of elements.
const INT8 = 1;
const UINT8 = 2;
const INT32 = 5;
const UINT32 = 6;
const DOUBLE = 9;
const MATRIX = 14;
const COMPRESSED = 15;

/** Bytes to read, and what they are called in error messages. */
interface Source {
  readonly bytes: Buffer;
  readonly path: string;
}

interface Element {
  readonly type: number;
  readonly content: Buffer;
  /** Where the next one begins. */
  readonly next: number;
}

/**
 * The arrays of a file, by name.
 *
 * @param path names the file in error messages
 * @throws InputError if it is no such file, is damaged or cut off, or holds anything but arrays of unsigned bytes and
 *   doubles
 */
export function readMat(file: Uint8Array, path: string): ReadonlyMap<string, MatArray> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (bytes.length < HEADER || bytes.toString('latin1', HEADER - 2, HEADER) !== LITTLE_ENDIAN) {
    throw new InputError(
      `${path}: not a MATLAB file of level 5, little-endian (it must have "${LITTLE_ENDIAN}" at byte ${HEADER - 2})`,
    );
  }
  const arrays = new Map<string, MatArray>();
  let unpacked = 0;
  for (let at = HEADER, count = 0; at < bytes.length; count++) {
    if (count === MAX_ARRAYS) throw damaged(path, `more than ${MAX_ARRAYS} arrays, at byte ${at}`);
    const source = { bytes, path: `${path}: array at byte ${at}` };
    const element = readElement(source, at);
    const matrix = element.type === COMPRESSED ? unpackElement(element.content, source.path) : element;
    if (matrix !== element) unpacked += matrix.content.length;
    checkExpansion(unpacked, bytes.length, path);
    if (matrix.type !== MATRIX) throw damaged(source.path, `is an element of type ${matrix.type} instead`);
    const [name, array] = readArray({ ...source, bytes: matrix.content });
    arrays.set(name, array);
    at = element.next;
  }
  return arrays;
}

function readElement({ bytes, path }: Source, at: number): Element {
  if (at + TAG > bytes.length) throw damaged(path, `truncated at byte ${bytes.length}, in a tag`);
  const word = bytes.readUInt32LE(at);
  const shortLength = word >>> 16; // up to four bytes lie in the tag itself, with type and length in one word
  const isShort = shortLength > 0;
  const type = isShort ? word & 0xffff : word;
  const length = isShort ? shortLength : bytes.readUInt32LE(at + 4);
  const start = isShort ? at + 4 : at + TAG;
  if ((isShort && length > 4) || start + length > bytes.length) {
    throw damaged(path, `truncated at byte ${bytes.length}, in an element of ${length} bytes at byte ${at}`);
  }
  const padding = isShort || type === COMPRESSED ? 0 : -length & 7;
  return {
    type,
    content: bytes.subarray(start, start + length),
    next: isShort ? at + TAG : start + length + padding,
  };
}

/** The one element inside a compressed one. It is unpacked only if the length in its tag is credible. */
function unpackElement(data: Buffer, path: string): Element {
  const packed = { data, method: 'zlib', path } as const;
  const tag = Buffer.from(unpackStart(packed, TAG));
  if (tag.length < TAG) throw damaged(path, 'truncated in its compressed tag');
  const size = TAG + tag.readUInt32LE(4);
  checkExpansion(size, data.length, path);
  const { unpacked } = unpackAll(packed, size);
  return readElement({ bytes: Buffer.from(unpacked.buffer, unpacked.byteOffset, unpacked.length), path }, 0);
}

function readArray(source: Source): [name: string, array: MatArray] {
  const { path } = source;
  const part = (at: number, what: string, types: readonly number[]): Element => {
    const element = readElement(source, at);
    if (types.includes(element.type)) return element;
    throw damaged(path, `its ${what} have type ${element.type} instead of ${types.join(' or ')}`);
  };
  const flags = part(0, 'flags', [UINT32]);
  const dimensions = part(flags.next, 'dimensions', [INT32]);
  const name = part(dimensions.next, "name's characters", [INT8]);
  const values = part(name.next, 'values', [UINT8, DOUBLE]);

  const { content } = dimensions;
  const shape = Array.from({ length: content.length >> 2 }, (_, i) => content.readInt32LE(4 * i));
  const data = values.type === UINT8 ? values.content : doubles(values.content);
  if (shape.some((length) => length < 0) || shape.reduce((a, b) => a * b, 1) !== data.length) {
    throw damaged(path, `has shape ${shape.slice(0, 8).join('×')}, but ${data.length} values`);
  }
  return [name.content.toString('latin1'), { shape, data }];
}

function doubles(content: Buffer): Float64Array {
  return Float64Array.from({ length: content.length >> 3 }, (_, i) => content.readDoubleLE(8 * i));
}
