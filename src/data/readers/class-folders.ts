/** Image files in a folder for each class, and two lists that say which are for training and which for the test. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import type { ListedImage, Part } from '../folder/list.js';
import { readInputFile } from '../formats/file.js';
import { parseSplitCsv } from '../formats/split-csv.js';
import type { Reader } from './reader.js';

export interface ClassFoldersLayout {
  readonly format: 'class-folders';
}

const LISTS = ['train.csv', 'test.csv'] as const;

export const classFoldersReader: Reader<ClassFoldersLayout> = {
  missing: (folder) => LISTS.find((name) => !existsSync(join(folder, name))) ?? null,

  read(folder, { classCount }) {
    const [train, test] = LISTS.map((name) =>
      parseSplitCsv(readInputFile(join(folder, name)), join(folder, name)),
    );
    const classes = [...new Set(train.labels)].sort();
    if (classes.length !== classCount) {
      throw new InputError(
        `${join(folder, LISTS[0])}: ${classes.length} classes instead of ${classCount}; it is a list of another split`,
      );
    }
    const list = (part: Part, { files, labels }: typeof train, path: string): ListedImage[] =>
      files.map((file, i) => {
        const label = classes.indexOf(labels[i]);
        if (label >= 0) return { path: join(labels[i], file), part, label };
        throw new InputError(
          `${path}: line ${i + 2} has class ${labels[i]}, which ${LISTS[0]} does not have`,
        );
      });
    const images = [
      ...list('train', train, join(folder, LISTS[0])),
      ...list('test', test, join(folder, LISTS[1])),
    ];
    return { folder, classes, images };
  },
};
