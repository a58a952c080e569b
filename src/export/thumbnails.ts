import sharp from 'sharp';
import { type ImageSet, pixelsOf, scaledSize } from '../data/dataset.js';
import type { Manifest } from '../infer/manifest.js';

export type Thumbnails = NonNullable<NonNullable<Manifest['prototypes']>['thumbnails']>;

/** Larger images are scaled down to it. */
const MAX_SIDE = 64;

/** Packs images of a set in rows of one lossless WebP image, from left to right and from top to bottom. */
export async function packThumbnails(images: ImageSet, indices: readonly number[]): Promise<Thumbnails> {
  const { channels } = images;
  const { height, width } = scaledSize(images, MAX_SIDE);
  const columns = Math.ceil(Math.sqrt(indices.length));
  const tiles = await Promise.all(
    indices.map(async (index, place) => {
      const pixels = pixelsOf(images, index);
      const raw = { width: images.width, height: images.height, channels: channels as 1 | 3 };
      const input = await sharp(pixels, { raw }).resize(width, height, { fit: 'fill' }).png().toBuffer();
      return { input, left: (place % columns) * width, top: Math.floor(place / columns) * height };
    }),
  );
  const rows = Math.ceil(indices.length / columns);
  const canvas = { width: columns * width, height: rows * height, channels: 3 as const, background: 'black' };
  const sheet = await sharp({ create: canvas }).composite(tiles).webp({ lossless: true }).toBuffer();
  return { columns, height, width, webp: sheet.toString('base64') };
}
