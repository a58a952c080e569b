/** SVHN's cropped digits: one MATLAB file for each of its parts. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readInputFile } from '../formats/file.js';
import type { LabeledImages } from '../formats/labeled-images.js';
import { parseSvhn } from '../formats/svhn.js';
import type { Reader } from './reader.js';

export interface SvhnLayout {
  readonly format: 'svhn';
  readonly train: readonly string[];
  readonly test: readonly string[];
}

export const svhnReader: Reader<SvhnLayout> = {
  missing: (folder, { train, test }) =>
    [...train, ...test].find((name) => !existsSync(join(folder, name))) ?? null,

  read(folder, { layout: { train, test } }) {
    const piece = (name: string): LabeledImages => {
      const path = join(folder, name);
      return parseSvhn(readInputFile(path), path);
    };
    return { train: train.map(piece), test: test.map(piece) };
  },
};
