import { join, resolve } from 'node:path';
import type { DatasetParts, ImageDataset } from '../dataset.js';
import { cacheRoot } from '../locate.js';
import type { PackedPixels } from '../packed-pixels.js';
import { type ImageList, type ListedImage, listImages, PARTS, type Part } from './list.js';
import { type PackedImages, packImages } from './pack.js';

export interface LoadFolderOptions {
  /** side of the square images, in pixels; null = 32 or 64, by the size of the images */
  readonly side?: number | null;
  /** images decoded so far, where they are decoded for the first time */
  onProgress?(done: number, total: number): void;
}

/**
 * Reads a data set of a user's own images: a folder, or a CSV or JSONL list (see {@link listImages}). Images are
 * brought to one size, and kept packed for the next time. What cannot be read is left out and named in `leftOut`.
 * @throws InputError where there is no such data set, a list is not as it should be, or no image can be read
 */
export async function loadFolder(path: string, options: LoadFolderOptions = {}): Promise<DatasetParts> {
  return loadListed(listImages(path), { ...options, name: resolve(path) });
}

export interface LoadListedOptions extends LoadFolderOptions {
  readonly name: string;
  /** null = 1 where all images are gray, else 3 */
  readonly channels?: 3 | null;
}

/** Reads the images of a list, each domain packed by itself. @throws InputError as {@link loadFolder} */
export async function loadListed(list: ImageList, options: LoadListedOptions): Promise<DatasetParts> {
  const { name, side = null, channels = null, onProgress } = options;
  const { folder, classes, domains, images: listed } = list;
  const cache = join(cacheRoot(), 'folder');
  const packs: Pack[] = [];
  let done = 0;
  for (let domain = 0; domain < (domains?.length ?? 1); domain++) {
    const images = listed.filter((image) => (image.domain ?? 0) === domain);
    const paths = images.map(({ path }) => path);
    const report = (count: number) => onProgress?.(done + count, listed.length);
    const packed = await packImages(folder, paths, { side, channels, cache, onProgress: report });
    packs.push({ packed, kept: packed.positions.map((position) => images[position]) });
    done += images.length;
  }

  const [{ packed }] = packs;
  const shape = { height: packed.side, width: packed.side, channels: packed.channels };
  const partOf = (part: Part): ImageDataset => {
    const members = packs.flatMap(({ kept }) => kept.filter((image) => image.part === part));
    return {
      name,
      classes,
      count: members.length,
      ...shape,
      images: packs.map((pack) => pixelsOfPart(pack, part)),
      labels: Int32Array.from(members, ({ label }) => label),
      names: members.map(({ path }) => path),
      domains: domains && { names: domains, of: Uint8Array.from(members, ({ domain = 0 }) => domain) },
    };
  };
  const [train, validation, test] = PARTS.map((part) =>
    packs.some(({ kept }) => kept.some((image) => image.part === part)) ? partOf(part) : null,
  );
  const leftOut = packs.flatMap((pack) => pack.packed.broken);
  return { train: train ?? partOf('train'), validation, test, leftOut };
}

/** The images of a domain. */
interface Pack {
  readonly packed: PackedImages;
  /** those that could be read */
  readonly kept: readonly ListedImage[];
}

/** Parts lie one after another. */
function pixelsOfPart({ packed, kept }: Pack, part: Part): PackedPixels {
  const count = kept.filter((image) => image.part === part).length;
  const start = kept.findIndex((image) => image.part === part);
  return { path: packed.images.path, first: packed.images.first + Math.max(0, start), count };
}
