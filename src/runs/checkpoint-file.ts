/**
 * The file of a checkpoint: safetensors, which any reader of the format reads, with a checksum in its metadata. The
 * checksum is the SHA-256 of the whole file as it was before the checksum's own digits took the place of 64 zeros; so no
 * byte can change unnoticed, and there is no second file that could be of another moment.
 */
import { createHash } from 'node:crypto';
import { InputError } from '../errors.js';
import { writeFileAtomically } from './atomic.js';
import {
  decodeSafetensors,
  encodeSafetensors,
  readBytes,
  type SafetensorsFile,
  type SafetensorsTensor,
} from './safetensors.js';

const KEY = 'sha256';
const ZEROS = '0'.repeat(64);

/**
 * Writes tensors and metadata to a file, atomically: it is never seen half written.
 *
 * @throws {InputError} when the file cannot be written
 * @throws {TypeError} when a tensor's shape, dtype and data do not agree
 */
export function writeCheckpointFile(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  metadata: Record<string, string> = {},
): void {
  const bytes = encodeSafetensors(tensors, { [KEY]: ZEROS, ...metadata });
  const digits = createHash('sha256').update(bytes).digest('hex');
  bytes.write(digits, digitsPosition(bytes, ZEROS), 'latin1');
  writeFileAtomically(path, bytes);
}

/**
 * Reads a whole checkpoint; every tensor owns its memory.
 *
 * @throws {InputError} when the file is missing, is not a safetensors file with a checksum, or any byte of it is another
 *   than was written; it names the file
 */
export function readCheckpointFile(path: string): SafetensorsFile {
  return decodeCheckpoint(readBytes(path), path);
}

/** The same of bytes in memory. @param path what errors name */
export function decodeCheckpoint(bytes: Buffer, path: string): SafetensorsFile {
  const file = decodeSafetensors(bytes, path);
  const digits = file.metadata[KEY];
  if (digits === undefined) {
    throw new InputError(`${path} is no checkpoint of featmatch, or is damaged: it has no checksum`);
  }
  if (!isIntact(bytes, digits)) {
    throw new InputError(`${path} is damaged: its content does not fit its checksum`);
  }
  return file;
}

function isIntact(bytes: Buffer, digits: string): boolean {
  const start = digitsPosition(bytes, digits);
  if (start < 0) return false;
  const hash = createHash('sha256');
  hash
    .update(bytes.subarray(0, start))
    .update(ZEROS)
    .update(bytes.subarray(start + ZEROS.length));
  return hash.digest('hex') === digits;
}

/** Where the checksum stands. Quotation marks inside of names and texts have a backslash, so nothing else matches. */
function digitsPosition(bytes: Buffer, digits: string): number {
  const before = `"${KEY}":"`;
  const start = bytes.indexOf(`${before}${digits}"`);
  return start < 0 ? start : start + before.length;
}
