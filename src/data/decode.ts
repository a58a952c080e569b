/** Decodes image files of any common format to the size that a network takes. */

import sharp from 'sharp';
import { InputError } from '../errors.js';
import { toGrayscale } from '../image/luma.js';
import type { Pixels } from '../image/pixels.js';
import { resizeAndCrop } from '../image/resize.js';

/** Decoding stops at more pixels than this: 16,384², far more than a photo, far less than memory. */
const MAX_INPUT_PIXELS = 2 ** 28;

/**
 * Decodes an image (JPEG, PNG, WebP, AVIF, GIF, TIFF, SVG; of animations the first frame) at its full size: upright by
 * its EXIF orientation, transparent parts on white, 8-bit sRGB.
 *
 * @param input a file's path, or its bytes
 * @throws InputError if the file is missing, no image, truncated or damaged, or larger than 2²⁸ pixels.
 */
export async function decodePixels(input: string | Uint8Array): Promise<Pixels> {
  try {
    const { data, info } = await sharp(input, { failOn: 'error', limitInputPixels: MAX_INPUT_PIXELS })
      .autoOrient()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels !== 3) throw new Error(`decoded to ${channels} channels instead of 3`);
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), height, width, channels };
  } catch (error) {
    const name = typeof input === 'string' ? input : 'the image';
    throw new InputError(`${name}: cannot be read as an image (${firstLine(error)})`);
  }
}

/**
 * Decodes an image and brings it to `size`: the largest centered part of the right shape, resized with Lanczos; with one
 * channel its brightness (ITU-R BT.601).
 * @throws InputError as {@link decodePixels}
 */
export async function decodeImage(
  input: string | Uint8Array,
  { height, width, channels }: Omit<Pixels, 'data'>,
): Promise<Pixels> {
  const image = resizeAndCrop(await decodePixels(input), { height, width });
  return channels === 1 ? toGrayscale(image) : image;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
