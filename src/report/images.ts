import sharp from 'sharp';
import { type ImageSet, pixelsOf, scaledSize } from '../data/dataset.js';

/** Larger images are scaled down to it. */
const MAX_SIDE = 96;

/** An image of a set as the address of a picture that holds itself. */
export async function pictureOf(images: ImageSet, index: number): Promise<string> {
  const { width, height, channels } = images;
  const shown = scaledSize(images, MAX_SIDE);
  const raw = { width, height, channels: channels as 1 | 3 };
  // Small images are shown enlarged, where every pixel is seen.
  const isSmall = Math.max(shown.width, shown.height) <= 32;
  const bytes = await sharp(pixelsOf(images, index), { raw })
    .resize(shown.width, shown.height, { fit: 'fill' })
    .webp(isSmall ? { lossless: true } : { quality: 85 })
    .toBuffer();
  return `data:image/webp;base64,${bytes.toString('base64')}`;
}
