/**
 * Files that are either complete or absent: whoever reads a run folder, at whatever moment, even after a crash or a
 * power cut, sees the old content or the new one and never a part of it.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../errors.js';

/**
 * Writes `content` to a temporary file in the same folder, flushes it to the disk, renames it to `path` and flushes
 * the folder. Missing parent folders are created; an existing file is replaced.
 *
 * @param content text (UTF-8) or bytes
 * @throws {InputError} when the folder cannot be written to or the disk is full; `path` is then as it was
 */
export function writeFileAtomically(path: string, content: string | Uint8Array): void {
  const temporary = temporaryPath(path);
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true });
    try {
      writeAndFlush(temporary, typeof content === 'string' ? Buffer.from(content) : content);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    flushFolder(folder);
  } catch (error) {
    throw explainWriteError(error, path);
  }
}

/** A path beside `path` for a while. Random: another writer, or what a killed one left behind, is never in the way. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
}

/** Removes the temporary files that killed writers left in a folder. Nobody may be writing there. */
export function removeTemporaryFiles(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (/^\..*\.tmp$/.test(name)) rmSync(join(folder, name), { force: true });
  }
}

/** Writes `value` as indented JSON with a closing newline, atomically. Errors as {@link writeFileAtomically}. */
export function writeJsonAtomically(path: string, value: unknown): void {
  writeFileAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Turns the operating system's reasons for refusing to write into an {@link InputError} that names the file; returns
 * any other error as it is.
 */
export function explainWriteError(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = WRITE_ERRORS[code];
  return reason === undefined ? error : new InputError(`cannot write ${path}: ${reason}`, { cause: error });
}

const WRITE_ERRORS: Record<string, string> = {
  ENOSPC: 'the disk is full; free some space or choose another folder',
  EDQUOT: 'the disk quota is used up; free some space or choose another folder',
  EROFS: 'the file system is read-only; choose another folder',
  EACCES: 'permission denied; change the permissions or choose another folder',
  EPERM: 'permission denied; change the permissions or choose another folder',
  EEXIST: 'a part of its folder is a file; choose another folder',
  ENOTDIR: 'a part of its folder is a file; choose another folder',
  EISDIR: 'it is a folder; choose another name',
  ENOENT: 'its folder cannot be made; choose another folder',
  ENAMETOOLONG: 'its name is too long; choose a shorter one',
};

function writeAndFlush(path: string, content: Uint8Array): void {
  const file = openSync(path, 'wx');
  try {
    // A write may take only a part, for example where the disk is almost full.
    for (let offset = 0; offset < content.byteLength; ) offset += writeSync(file, content, offset);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes a rename durable; Windows cannot open folders, and needs no such step. */
export function flushFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
