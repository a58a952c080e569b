/**
 * The safetensors format, as in Hugging Face's specification: eight bytes with the header's length (little-endian), a
 * JSON header (name → dtype, shape, position), then the tensors' bytes, little-endian, row-major and without gaps.
 */
import { readFileSync } from 'node:fs';
import { InputError } from '../errors.js';

/** The array that holds one element type; half-precision floats are their 16 bits, booleans are bytes 0 and 1. */
const ARRAYS = {
  F64: Float64Array,
  I64: BigInt64Array,
  F32: Float32Array,
  I32: Int32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

export type SafetensorsDtype = keyof typeof ARRAYS;
export type SafetensorsData =
  | Float64Array
  | BigInt64Array
  | Float32Array
  | Int32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** One tensor: `data` holds the product of `shape` elements in row-major order, in the array type of its dtype. */
export interface SafetensorsTensor {
  dtype: SafetensorsDtype;
  shape: readonly number[];
  data: SafetensorsData;
}

export interface SafetensorsFile {
  /** By name, in the order of their bytes in the file. */
  tensors: Map<string, SafetensorsTensor>;
  metadata: Record<string, string>;
}

const METADATA_KEY = '__metadata__';
const LENGTH_BYTES = 8;
/** The reference implementation refuses longer headers, so that a broken length cannot ask for all memory. */
const MAX_HEADER_BYTES = 100_000_000;

/** The bytes of a file. @throws {TypeError} when a tensor's shape, dtype and data do not agree */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  metadata: Record<string, string> = {},
): Buffer {
  // Wide elements first, as the reference implementation orders them: then every tensor is aligned to its element size.
  const ordered = [...tensors].sort(([, a], [, b]) => elementBytes(b.dtype) - elementBytes(a.dtype));
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA_KEY, metadata]] : [];
  const chunks: Uint8Array[] = [];
  let position = 0;
  for (const [name, tensor] of ordered) {
    checkTensor(name, tensor);
    const { dtype, shape, data } = tensor;
    entries.push([name, { dtype, shape, data_offsets: [position, position + data.byteLength] }]);
    chunks.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    position += data.byteLength;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.alloc(LENGTH_BYTES + Math.ceil(json.byteLength / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.byteLength - LENGTH_BYTES));
  json.copy(header, LENGTH_BYTES);
  return Buffer.concat([header, ...chunks]);
}

/**
 * Reads a whole file; every tensor owns its memory.
 *
 * @throws {InputError} when the file is missing or in any way not a complete safetensors file; it names the file
 */
export function readSafetensors(path: string): SafetensorsFile {
  return decodeSafetensors(readBytes(path), path);
}

/** @throws {InputError} when the file cannot be read */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(`cannot read ${path}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

/**
 * Parses the bytes of a safetensors file; every tensor gets a copy of its part.
 *
 * @param source what to call the bytes in errors, usually the file's path
 * @throws {InputError} when `bytes` are not a complete safetensors file
 */
export function decodeSafetensors(bytes: Uint8Array, source: string): SafetensorsFile {
  const { header, dataStart } = decodeHeader(bytes, source);
  const { [METADATA_KEY]: metadataEntry, ...entries } = header;
  const placed = Object.entries(entries)
    .map(([name, entry]) => checkEntry(name, entry, source))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);

  const tensors = new Map<string, SafetensorsTensor>();
  let position = 0;
  for (const { name, dtype, shape, begin, end } of placed) {
    if (begin !== position) {
      throw invalid(source, `tensor '${name}' begins at data byte ${begin} where ${position} is expected`);
    }
    if (dataStart + end > bytes.byteLength) {
      throw invalid(
        source,
        `it is cut off inside tensor '${name}', at byte ${bytes.byteLength} of ${dataStart + end}`,
      );
    }
    tensors.set(name, {
      dtype,
      shape,
      data: copyElements(dtype, bytes.subarray(dataStart + begin, dataStart + end)),
    });
    position = end;
  }
  if (dataStart + position !== bytes.byteLength) {
    throw invalid(source, `${bytes.byteLength - dataStart - position} bytes follow its last tensor`);
  }
  return { tensors, metadata: checkMetadata(metadataEntry, source) };
}

function checkTensor(name: string, { dtype, shape, data }: SafetensorsTensor): void {
  if (name === METADATA_KEY) throw new TypeError(`a tensor cannot be named ${METADATA_KEY}`);
  if (!(data instanceof ARRAYS[dtype])) {
    throw new TypeError(`tensor '${name}': dtype ${dtype} needs a ${ARRAYS[dtype].name}`);
  }
  if (!isShape(shape) || elementCount(shape) !== data.length) {
    throw new TypeError(`tensor '${name}': shape [${shape}] does not hold ${data.length} elements`);
  }
}

function decodeHeader(
  bytes: Uint8Array,
  source: string,
): { header: Record<string, unknown>; dataStart: number } {
  if (bytes.byteLength < LENGTH_BYTES) throw invalid(source, `it has only ${bytes.byteLength} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES)
    throw invalid(source, `its first 8 bytes ask for a header of ${length} bytes`);
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > bytes.byteLength) {
    throw invalid(source, `it is cut off inside its header, at byte ${bytes.byteLength} of ${dataStart}`);
  }
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES, dataStart));
    header = JSON.parse(text);
  } catch (error) {
    throw invalid(source, `its header is not JSON (${error instanceof Error ? error.message : error})`);
  }
  if (!isRecord(header)) throw invalid(source, 'its header is not a JSON object');
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) throw invalid(source, `its header has the key '${duplicate}' twice`);
  return { header, dataStart };
}

interface PlacedTensor {
  name: string;
  dtype: SafetensorsDtype;
  shape: number[];
  /** First byte and the byte after the last one, counted from the end of the header. */
  begin: number;
  end: number;
}

function checkEntry(name: string, entry: unknown, source: string): PlacedTensor {
  const wrong = (what: string) => invalid(source, `tensor '${name}' ${what}`);
  if (!isRecord(entry)) throw wrong('is not described by a JSON object');
  const { dtype, shape, data_offsets: offsets, ...unknown } = entry;
  const [unknownKey] = Object.keys(unknown);
  if (unknownKey !== undefined) throw wrong(`has the unknown key '${unknownKey}'`);
  if (!isDtype(dtype)) {
    throw wrong(`has dtype ${JSON.stringify(dtype)}; known are ${Object.keys(ARRAYS).join(', ')}`);
  }
  if (!isShape(shape)) throw wrong(`has the shape ${JSON.stringify(shape)}`);
  if (!isShape(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw wrong(`has the data_offsets ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets;
  const expected = elementCount(shape) * elementBytes(dtype);
  if (end - begin !== expected) {
    throw wrong(`has ${end - begin} bytes where shape [${shape}] of ${dtype} needs ${expected}`);
  }
  return { name, dtype, shape: [...shape], begin, end };
}

function checkMetadata(metadata: unknown, source: string): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isRecord(metadata)) throw invalid(source, `${METADATA_KEY} is not a JSON object`);
  const texts = Object.entries(metadata).map(([key, value]) => {
    if (typeof value !== 'string') throw invalid(source, `${METADATA_KEY} '${key}' is not a string`);
    return [key, value] as const;
  });
  return Object.fromEntries(texts);
}

/** The first key that some object in valid JSON has twice; `JSON.parse` would silently keep the last. */
function findDuplicateKey(json: string): string | undefined {
  const keysOfOpenObjects: Set<string>[] = [];
  for (let i = 0; i < json.length; i++) {
    if (json[i] === '{') keysOfOpenObjects.push(new Set());
    else if (json[i] === '}') keysOfOpenObjects.pop();
    else if (json[i] === '"') {
      const start = i;
      for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++; // a backslash also takes the character after it
      const end = i + 1;
      while (/\s/.test(json[i + 1])) i++;
      if (json[i + 1] !== ':') continue; // a value, not a key
      const key: string = JSON.parse(json.slice(start, end));
      const keys = keysOfOpenObjects.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

function copyElements(dtype: SafetensorsDtype, bytes: Uint8Array): SafetensorsData {
  const copy = new Uint8Array(bytes); // its own buffer, hence aligned for every element type
  return new ARRAYS[dtype](copy.buffer);
}

function elementBytes(dtype: SafetensorsDtype): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function isDtype(value: unknown): value is SafetensorsDtype {
  return typeof value === 'string' && Object.hasOwn(ARRAYS, value);
}

function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(source: string, what: string): InputError {
  return new InputError(`${source} is not a valid safetensors file: ${what}`);
}
