/**
 * Pixels that stay in files. The system keeps in memory what is read often, as far as there is room, for all threads and
 * runs together: so a data set may be larger than memory, and needs none before it is used.
 */
import { openSync, readSync } from 'node:fs';
import { InputError } from '../errors.js';

/** Some images in a file, one after the other without anything between them. */
export interface PackedPixels {
  readonly path: string;
  /** position of the first of them in the file, in images */
  readonly first: number;
  readonly count: number;
}

/** Files that this thread has open; they are closed when it ends. */
const open = new Map<string, number>();

/**
 * @param size bytes of an image
 * @throws InputError if the file is not there any more, or shorter than it was
 */
export function readPackedImage(parts: readonly PackedPixels[], index: number, size: number): Uint8Array {
  let rest = index;
  for (const { path, first, count } of parts) {
    if (rest < count) return readAt(path, (first + rest) * size, size);
    rest -= count;
  }
  throw new RangeError(`image ${index} is in none of ${parts.length} files`);
}

function readAt(path: string, start: number, size: number): Uint8Array {
  const pixels = new Uint8Array(size);
  try {
    let file = open.get(path);
    if (file === undefined) {
      file = openSync(path, 'r');
      open.set(path, file);
    }
    for (let done = 0; done < size; ) {
      const count = readSync(file, pixels, done, size - done, start + done);
      if (count === 0) throw new Error(`it ends at byte ${start + done}`);
      done += count;
    }
    return pixels;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new InputError(
      `${path}: cannot be read (${code ?? message}); delete it, and it will be made again`,
    );
  }
}
