/** Decodes image files of any common format to the size that a network takes. */
import { fileURLToPath } from 'node:url';
import { InputError } from '../../errors.js';
import type { Pixels } from '../../image/pixels.js';
import { fitPixels } from '../fit.js';
import { sharp } from './native.js';

/** 16,384²: far more than a photo, far less than memory. */
const MAX_PIXELS = 2 ** 28;

/** A file's path or URL, or the bytes of an encoded image: JPEG, PNG, WebP, AVIF, GIF, TIFF, SVG. */
export type ImageSource = string | URL | Uint8Array;

/**
 * Decodes an image (JPEG, PNG, WebP, AVIF, GIF, TIFF, SVG; of animations the first frame) at its full size: upright by
 * its EXIF orientation, transparent parts on white, 8-bit sRGB.
 *
 * @param input a file's path, or its bytes
 * @throws InputError if the file is missing, no image, truncated or damaged, or larger than 2²⁸ pixels.
 */
export async function decodePixels(
  input: ImageSource,
  { maxPixels = MAX_PIXELS }: { maxPixels?: number } = {},
): Promise<Pixels> {
  const source = input instanceof URL ? fileURLToPath(input) : input;
  try {
    const { data, info } = await sharp(source, { failOn: 'error', limitInputPixels: maxPixels })
      .autoOrient()
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels !== 3) throw new Error(`decoded to ${channels} channels instead of 3`);
    return { data: new Uint8Array(data.buffer, data.byteOffset, data.length), height, width, channels };
  } catch (error) {
    const name = typeof source === 'string' ? source : 'the image';
    throw new InputError(`${name}: cannot be read as an image (${firstLine(error)})`);
  }
}

/**
 * Decodes an image and brings it to `size`: the largest centred part of the right shape, resized with Lanczos; with one
 * channel its brightness (ITU-R BT.601).
 * @throws InputError as {@link decodePixels}
 */
export async function decodeImage(input: ImageSource, size: Omit<Pixels, 'data'>): Promise<Pixels> {
  return fitPixels(await decodePixels(input), size);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0];
}
