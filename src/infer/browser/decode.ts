/** Decodes images by what the browser has: every format that it shows. */
import { InputError } from '../../errors.js';
import type { Pixels } from '../../image/pixels.js';
import { fetchBytes } from '../source.js';

/** 16,384², the largest canvas of common browsers. */
const MAX_PIXELS = 2 ** 28;

/** A URL, a file or other blob, or what can be drawn: an image element, a video's current picture, a canvas, … */
export type ImageSource = string | URL | ImageBitmapSource;

/**
 * Decodes an image at its full size: upright by its EXIF orientation, transparent parts on white, 8-bit sRGB.
 * @throws InputError if it cannot be had, is no image or damaged, or larger than `maxPixels`, by default 2²⁸
 */
export async function decodePixels(
  source: ImageSource,
  { maxPixels = MAX_PIXELS }: { maxPixels?: number } = {},
): Promise<Pixels> {
  try {
    const bitmap = await createImageBitmap(await toBitmapSource(source));
    try {
      return readPixels(bitmap, maxPixels);
    } finally {
      bitmap.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${nameOf(source)}: cannot be read as an image (${reason})`);
  }
}

async function toBitmapSource(source: ImageSource): Promise<ImageBitmapSource> {
  if (typeof source !== 'string' && !(source instanceof URL)) return source;
  return new Blob([(await fetchBytes(new URL(source, location.href))) as Uint8Array<ArrayBuffer>]);
}

function readPixels(bitmap: ImageBitmap, maxPixels: number): Pixels {
  const { height, width } = bitmap;
  if (height * width > maxPixels) throw new Error(`${width}×${height} pixels are too many`);
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('the browser gives no canvas to draw on');
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  const { data: rgba } = context.getImageData(0, 0, width, height);
  const data = new Uint8Array(3 * height * width);
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    data[to] = rgba[from];
    data[to + 1] = rgba[from + 1];
    data[to + 2] = rgba[from + 2];
  }
  return { data, height, width, channels: 3 };
}

function nameOf(source: ImageSource): string {
  if (typeof source === 'string' || source instanceof URL) return String(source);
  return source instanceof File ? source.name : 'the image';
}
