/** Reads the named data sets. */

import type { CatalogEntry } from './catalog/entry.js';
import { type DatasetPair, type ImageDataset, imageSize, sharedBytes } from './dataset.js';
import type { LabeledImages } from './formats/labeled-images.js';
import { catalogEntry, locateDataset } from './locate.js';
import { readerOf } from './readers/index.js';

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
  const { train, test } = readerOf(entry.layout).read(locateDataset(name, folder), entry);
  return { train: join(name, entry, train), test: join(name, entry, test) };
}

/** The pieces of one part, one after the other in shared memory. */
function join(name: string, entry: CatalogEntry, pieces: readonly LabeledImages[]): ImageDataset {
  const { classes, height, width, channels } = entry;
  const count = pieces.reduce((total, { labels }) => total + labels.length, 0);
  const images = sharedBytes(count * imageSize(entry));
  const labels = new Int32Array(count);
  let start = 0;
  for (const piece of pieces) {
    images.set(piece.images, start * imageSize(entry));
    labels.set(piece.labels, start);
    start += piece.labels.length;
  }
  return { name, classes, count, height, width, channels, images, labels };
}
