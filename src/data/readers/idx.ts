/** Data sets in four IDX files, as MNIST has them: images and labels, for training and for the test. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { readIdxImages, readIdxLabels } from '../formats/idx.js';
import { checkLabels, type LabeledImages } from '../formats/labeled-images.js';
import type { Reader, SetToRead } from './reader.js';

export interface IdxLayout {
  readonly format: 'idx';
  /** What the files' names begin with, before `-images-idx3-ubyte`, with or without `.gz`. */
  readonly train: string;
  readonly test: string;
  /** Whether images are stored column by column, as EMNIST's are. */
  readonly isTransposed?: boolean;
  /** The label of the first class, if it is not 0. */
  readonly firstLabel?: number;
}

const IMAGES = '-images-idx3-ubyte';
const LABELS = '-labels-idx1-ubyte';

export const idxReader: Reader<IdxLayout> = {
  missing(folder, { train, test }) {
    const names = [train, test].flatMap((part) => [part + IMAGES, part + LABELS]);
    const missing = names.find((name) => find(folder, name) === null);
    return missing === undefined ? null : `${missing}.gz`;
  },
  read: (folder, set) => ({
    train: [readPart(folder, set.layout.train, set)],
    test: [readPart(folder, set.layout.test, set)],
  }),
};

/** Where a file is: in the folder or, as in EMNIST's archive, in its folder `gzip`; compressed or not. */
function find(folder: string, name: string): string | null {
  const places = [join(folder, name), join(folder, 'gzip', name)].flatMap((path) => [`${path}.gz`, path]);
  return places.find((path) => existsSync(path)) ?? null;
}

function readPart(folder: string, part: string, set: SetToRead<IdxLayout>): LabeledImages {
  const { layout, classCount, height, width } = set;
  const [imagesPath, labelsPath] = [IMAGES, LABELS].map((ending) => find(folder, part + ending) as string);
  const { shape, data } = readIdxImages(imagesPath);
  const [count, rows, columns] = shape;
  if (rows !== height || columns !== width) {
    throw new InputError(
      `${imagesPath}: images of ${rows}×${columns} pixels instead of ${height}×${width}; it is of another data set`,
    );
  }
  const stored = readIdxLabels(labelsPath).data;
  if (stored.length !== count) {
    throw new InputError(
      `${labelsPath}: ${stored.length} labels for the ${count} images of ${imagesPath}; get both files again`,
    );
  }
  const labels = Int32Array.from(stored, (label) => label - (layout.firstLabel ?? 0));
  checkLabels(labels, classCount, labelsPath);
  return { images: layout.isTransposed ? transposed(data, rows) : data, labels };
}

/** Square grayscale images with rows and columns exchanged. */
function transposed(images: Uint8Array, side: number): Uint8Array {
  const result = new Uint8Array(images.length);
  for (let start = 0; start < images.length; start += side * side) {
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        result[start + row * side + column] = images[start + column * side + row];
      }
    }
  }
  return result;
}
