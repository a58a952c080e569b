/** Reads the named data sets. */

import { InputError } from '../errors.js';
import type { CatalogEntry } from './catalog.js';
import { type DatasetPair, type ImageDataset, sharedBytes } from './dataset.js';
import { readIdxImages, readIdxLabels } from './formats/idx.js';
import { catalogEntry, locateDataset } from './locate.js';

export interface LoadDatasetOptions {
  /** Folder with the data set's files; by default they are looked for, see {@link locateDataset}. */
  readonly folder?: string;
}

/**
 * Reads the training and the test part of a data set of the catalog.
 *
 * @throws InputError if there is no such data set, its files are not found, or one of them is not as it should be.
 */
export async function loadDataset(name: string, { folder }: LoadDatasetOptions = {}): Promise<DatasetPair> {
  const entry = catalogEntry(name);
  const files = locateDataset(name, folder);
  return {
    train: readPart(name, entry, { images: files.trainImages, labels: files.trainLabels }),
    test: readPart(name, entry, { images: files.testImages, labels: files.testLabels }),
  };
}

function readPart(
  name: string,
  entry: CatalogEntry,
  paths: { images: string; labels: string },
): ImageDataset {
  const { classes, height, width, channels } = entry;
  const { shape, data } = readIdxImages(paths.images);
  const [count, rows, columns] = shape;
  if (rows !== height || columns !== width) {
    throw new InputError(
      `${paths.images}: images of ${rows}×${columns} pixels, but ${name} has ${height}×${width}`,
    );
  }
  const labels = readIdxLabels(paths.labels).data;
  if (labels.length !== count) {
    throw new InputError(
      `${paths.labels}: ${labels.length} labels for the ${count} images of ${paths.images}`,
    );
  }
  const wrong = labels.findIndex((label) => label >= classes.length);
  if (wrong >= 0) {
    throw new InputError(
      `${paths.labels}: image ${wrong} has label ${labels[wrong]}, but there are ${classes.length} classes`,
    );
  }
  const images = sharedBytes(data.length);
  images.set(data);
  return { name, classes, count, height, width, channels, images, labels: Int32Array.from(labels) };
}
