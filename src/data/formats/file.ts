/** Reading data files, and what all their readers say when something is wrong with one. */

import { readFileSync } from 'node:fs';
import { InputError } from '../../errors.js';

/** The bytes of a file. @throws InputError if it cannot be read */
export function readInputFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(
      `${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
}

/** The error of a file that is not what it should be: what is wrong with it, and where. */
export function damaged(path: string, what: string): InputError {
  return new InputError(`${path}: ${what}; get the file again`);
}
