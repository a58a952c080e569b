/**
 * The lists of mini-ImageNet's splits: a first line `filename,label`, then a line for each image.
 *
 * Source: https://github.com/twitter-research/meta-learning-lstm, folder data/miniImagenet
 */

import { InputError } from '../../errors.js';

/** The images of a list; image i is on line i + 2. */
export interface SplitCsv {
  readonly files: readonly string[];
  readonly labels: readonly string[];
}

const HEADER = 'filename,label';
const ROW = /^([^,"/\\]+),([^,"/\\]+)$/;

/** @throws InputError if the first line is not the header, or another one not a file's name and a label */
export function parseSplitCsv(file: Uint8Array, path: string): SplitCsv {
  const text = Buffer.from(file.buffer, file.byteOffset, file.length).toString('utf8');
  const files: string[] = [];
  const labels: string[] = [];
  for (let start = 0, line = 1; start < text.length || line === 1; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const row = text.slice(start, end).trimEnd();
    start = end + 1;
    const [, name, label] = ROW.exec(row) ?? [];
    const isRight = line === 1 ? row === HEADER : name !== undefined && ![name, label].includes('..');
    if (!isRight) {
      const expected = line === 1 ? `"${HEADER}"` : 'a file name, a comma and a label';
      throw new InputError(
        `${path}: line ${line} is ${JSON.stringify(row.slice(0, 80))} instead of ${expected}`,
      );
    }
    if (line > 1) {
      files.push(name);
      labels.push(label);
    }
  }
  return { files, labels };
}
