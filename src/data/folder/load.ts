import { join, resolve } from 'node:path';
import { type DatasetPair, type ImageDataset, imageSize } from '../dataset.js';
import { cacheRoot } from '../locate.js';
import { listImages, PARTS, type Part } from './list.js';
import { packImages } from './pack.js';

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
export async function loadFolder(path: string, options: LoadFolderOptions = {}): Promise<DatasetPair> {
  const { folder, classes, images: listed } = listImages(path);
  const packed = await packImages(
    folder,
    listed.map((image) => image.path),
    { side: options.side ?? null, cache: join(cacheRoot(), 'folder'), onProgress: options.onProgress },
  );
  const { side, channels } = packed;
  const size = imageSize({ height: side, width: side, channels });
  const kept = packed.positions.map((position) => listed[position]);
  const partOf = (part: Part): ImageDataset => {
    const start = kept.findIndex((image) => image.part === part);
    const members = kept.filter((image) => image.part === part);
    return {
      name: resolve(path),
      classes,
      count: members.length,
      height: side,
      width: side,
      channels,
      images: packed.images.subarray(start * size, (start + members.length) * size), // parts lie one after another
      labels: Int32Array.from(members, ({ label }) => label),
      names: members.map((image) => image.path),
    };
  };
  const [train, validation, test] = PARTS.map((part) =>
    kept.some((image) => image.part === part) ? partOf(part) : null,
  );
  return { train: train ?? partOf('train'), validation, test, leftOut: packed.broken };
}
