/** Reads data sets: those of the catalog by name, and a user's own. */

import { InputError } from '../errors.js';
import { type CatalogEntry, classCount } from './catalog/entry.js';
import { OWN_IMAGES } from './catalog/names.js';
import { type DatasetParts, type ImageDataset, imageSize, sharedBytes } from './dataset.js';
import { loadFolder, loadListed } from './folder/load.js';
import type { LabeledImages } from './formats/labeled-images.js';
import { catalogEntry, layoutOf, locateDataset } from './locate.js';
import { checkOneDomain, type DomainChoice } from './readers/domains.js';
import { readerOf } from './readers/index.js';

export interface LoadDatasetOptions extends DomainChoice {
  /** Folder with the data set's files; by default they are looked for, see {@link locateDataset}. */
  readonly folder?: string;
  /** Side in pixels that image files are brought to; null = the usual one. */
  readonly side?: number | null;
  /** Images decoded so far, where they are decoded for the first time. */
  onProgress?(done: number, total: number): void;
}

/** Data sets of the catalog always have test images. */
export type NamedDataset = DatasetParts & { readonly test: ImageDataset };

/**
 * Reads the training and the test part of a data set of the catalog. Image files are decoded once and kept.
 *
 * @throws InputError if there is no such data set, its files are not found, one of them is not as it should be, or it has
 *   not the side or the domains asked for.
 */
export async function loadDataset(name: string, options: LoadDatasetOptions = {}): Promise<NamedDataset> {
  const entry = catalogEntry(name);
  const { side = null, onProgress } = options;
  const layout = layoutOf(name, options);
  const folder = locateDataset(name, options);
  const set = { layout, classCount: classCount(entry), height: entry.height, width: entry.width };
  const content = readerOf(layout).read(folder, set);
  if ('images' in content) {
    const data = await loadListed(content, { name, side: side ?? entry.height, channels: 3, onProgress });
    if (data.test === null) throw new InputError(`${folder}: none of the test images of ${name} can be read`);
    return { ...data, test: data.test };
  }
  if (side !== null && side !== entry.height) {
    throw new InputError(`images of ${name} have ${entry.height} pixels a side; leave data.side out`);
  }
  return { train: join(name, entry, content.train), validation: null, test: join(name, entry, content.test) };
}

/** What the configuration says of the data: a named data set, or `folder` for a user's own. */
export interface DataSource {
  readonly name: string;
  /** of `folder`: the folder or list; else where the data set's files are, see {@link loadDataset} */
  readonly folder?: string;
  readonly side: number | null;
  readonly target: string | null;
  readonly sources: readonly string[] | null;
  readonly sourceRatio: number;
}

/** Reads the data of a configuration. @throws InputError as {@link loadDataset} and {@link loadFolder} */
export async function loadData(
  { name, folder, side, target, sources, sourceRatio }: DataSource,
  { onProgress }: Pick<LoadDatasetOptions, 'onProgress'> = {},
): Promise<DatasetParts> {
  const choice = { target, sources, sourceRatio };
  if (name !== OWN_IMAGES) return loadDataset(name, { folder, side, onProgress, ...choice });
  checkOneDomain('your own images', choice);
  if (folder === undefined) {
    throw new InputError(
      `data.name is ${OWN_IMAGES}, but data.folder does not say which: give a folder or a list of images`,
    );
  }
  return loadFolder(folder, { side, onProgress });
}

/** The pieces of one part, one after the other in shared memory. */
function join(name: string, entry: CatalogEntry, pieces: readonly LabeledImages[]): ImageDataset {
  const { height, width, channels } = entry;
  const classes = classNamesOf(entry);
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

/** Files of pixels do not tell the names of their classes: the catalog does. */
function classNamesOf({ classes, title }: CatalogEntry): readonly string[] {
  if (typeof classes === 'number') throw new Error(`the catalog lacks the class names of ${title}`);
  return classes;
}
