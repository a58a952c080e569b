import type { Pixels } from './pixels.js';

/**
 * The brightness of a colour, 0…255, rounded: ITU-R BT.601 weights in 16-bit fixed point, as Pillow's conversion from
 * RGB to L computes it.
 */
export function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}

/** The brightness of a colour image: one channel of three. */
export function toGrayscale({ data, height, width }: Pixels): Pixels {
  const levels = new Uint8Array(height * width);
  for (let i = 0; i < levels.length; i++) levels[i] = luma(data[3 * i], data[3 * i + 1], data[3 * i + 2]);
  return { data: levels, height, width, channels: 1 };
}

/** Whether red, green and blue are equal at every pixel. */
export function isGrayscale({ data }: Pixels): boolean {
  for (let i = 0; i < data.length; i += 3) {
    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  }
  return true;
}
