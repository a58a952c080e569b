/** Decodes image files of any common format to the size that a network takes. */

import sharp from 'sharp';
import { InputError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';

/** Decoding stops at more pixels than this: 16,384², far more than a photo, far less than memory. */
const MAX_INPUT_PIXELS = 2 ** 28;

/**
 * Decodes an image (JPEG, PNG, WebP, AVIF, GIF, TIFF, SVG; of animations the first frame) and brings it to `size`:
 * upright by its EXIF orientation, transparent parts on white, greyscale or sRGB, the largest centred part of the right
 * shape, resized with Lanczos.
 *
 * @param input a file's path, or its bytes
 * @throws InputError if the file is missing, no image, truncated or damaged, or larger than 2²⁸ pixels.
 */
export async function decodeImage(
  input: string | Uint8Array,
  { height, width, channels }: Omit<Pixels, 'data'>,
): Promise<Pixels> {
  try {
    const { data, info } = await sharp(input, { failOn: 'error', limitInputPixels: MAX_INPUT_PIXELS })
      .autoOrient()
      .flatten({ background: 'white' })
      .resize(width, height, { fit: 'cover', position: 'centre', kernel: 'lanczos3' })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels)
      throw new Error(`decoded to ${info.channels} channels instead of ${channels}`);
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), height, width, channels };
  } catch (error) {
    const name = typeof input === 'string' ? input : 'the image';
    throw new InputError(`${name}: cannot be read as an image (${firstLine(error)})`);
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
