import type { Pixels } from './pixels.js';
import type { Random } from './random.js';

const GREY = 127;

/**
 * Cutout (DeVries & Taylor 2017, arXiv 1708.04552): paints a grey square over the image, in place. The square's side
 * is `fraction` (0…1) of the image's shorter side, rounded; its centre is any pixel, so part of it may lie outside.
 */
export function cutout(image: Pixels, fraction: number, random: Random): void {
  const { data, height, width, channels } = image;
  const side = Math.round(fraction * Math.min(height, width));
  const top = random.integer(height) - (side >> 1);
  const left = random.integer(width) - (side >> 1);
  const firstRow = Math.max(0, top);
  const endRow = Math.min(height, top + side);
  const start = Math.max(0, left) * channels;
  const end = Math.min(width, left + side) * channels;
  for (let row = firstRow; row < endRow; row++) {
    const base = row * width * channels;
    data.fill(GREY, base + start, base + end);
  }
}
