/** Reads data sets: those of the catalog by name, and a user's own. */

import { InputError } from '../errors.js';
import type { CatalogEntry } from './catalog/entry.js';
import { OWN_IMAGES } from './catalog/names.js';
import { type DatasetPair, type ImageDataset, imageSize, sharedBytes } from './dataset.js';
import { type LoadFolderOptions, loadFolder } from './folder/load.js';
import type { LabeledImages } from './formats/labeled-images.js';
import { catalogEntry, locateDataset } from './locate.js';
import { readerOf } from './readers/index.js';

export interface LoadDatasetOptions {
  /** Folder with the data set's files; by default they are looked for, see {@link locateDataset}. */
  readonly folder?: string;
}

/** Data sets of the catalog always have test images. */
export type NamedDataset = DatasetPair & { readonly test: ImageDataset };

/**
 * Reads the training and the test part of a data set of the catalog.
 *
 * @throws InputError if there is no such data set, its files are not found, or one of them is not as it should be.
 */
export async function loadDataset(name: string, { folder }: LoadDatasetOptions = {}): Promise<NamedDataset> {
  const entry = catalogEntry(name);
  const { train, test } = readerOf(entry.layout).read(locateDataset(name, folder), entry);
  return { train: join(name, entry, train), validation: null, test: join(name, entry, test) };
}

/** What the configuration says of the data: a named data set, or `folder` for a user's own. */
export interface DataSource {
  readonly name: string;
  /** of `folder`: the folder or list; else where the data set's files are, see {@link loadDataset} */
  readonly folder?: string;
  readonly side: number | null;
}

/** Reads the data of a configuration. @throws InputError as {@link loadDataset} and {@link loadFolder} */
export async function loadData(
  { name, folder, side }: DataSource,
  { onProgress }: Pick<LoadFolderOptions, 'onProgress'> = {},
): Promise<DatasetPair> {
  if (name !== OWN_IMAGES) return loadDataset(name, { folder });
  if (folder === undefined) {
    throw new InputError(
      `data.name is ${OWN_IMAGES}, but data.folder does not say which: give a folder or a list of images`,
    );
  }
  return loadFolder(folder, { side, onProgress });
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
