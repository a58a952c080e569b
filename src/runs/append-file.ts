/** A file that grows, and goes on from a known length after an interruption. */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { InputError } from '../errors.js';
import { explainWriteError } from './atomic.js';

export interface AppendFile {
  /** Adds text or bytes. They reach the file after a second at most, as long as more keep coming. */
  append(content: string | Uint8Array): void;
  /** Writes what is buffered, down to the disk, and gives the file's length in bytes. */
  save(): number;
  /** Writes what is buffered, and ends. Does nothing the second time. */
  close(): void;
}

const FLUSH_BYTES = 64 * 1024;
const FLUSH_MILLISECONDS = 1000;

/**
 * Opens a file to write on after its first `length` bytes, and creates it if need be. What stands behind them, such as
 * that of steps which will be made once more, is removed. All methods throw an InputError where it cannot be written.
 *
 * @throws {InputError} when the file is shorter, or cannot be written
 */
export function openAppendFile(path: string, length = 0): AppendFile {
  const writing = <T>(operation: () => T): T => {
    try {
      return operation();
    } catch (error) {
      throw explainWriteError(error, path);
    }
  };
  const file = writing(() => openSync(path, 'a'));
  const found = fstatSync(file).size;
  if (found < length) {
    closeSync(file);
    throw new InputError(
      `${path} has ${found} bytes, but had ${length} when the checkpoint was saved: bring the missing ones back`,
    );
  }
  writing(() => ftruncateSync(file, length));
  let buffered: Uint8Array[] = [];
  let bufferedBytes = 0;
  let lastFlush = performance.now();
  let isOpen = true;

  function flush(): void {
    const bytes = Buffer.concat(buffered);
    buffered = []; // also where writing fails: what was written already must not be written again
    bufferedBytes = 0;
    lastFlush = performance.now();
    writing(() => {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
    });
  }

  return {
    append(content) {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      buffered.push(bytes);
      bufferedBytes += bytes.byteLength;
      const isDue = performance.now() - lastFlush >= FLUSH_MILLISECONDS;
      if (isDue || bufferedBytes >= FLUSH_BYTES) flush();
    },
    save() {
      flush();
      writing(() => fsyncSync(file));
      return fstatSync(file).size;
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      try {
        flush();
      } finally {
        closeSync(file);
      }
    },
  };
}
