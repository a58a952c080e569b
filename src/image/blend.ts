/**
 * Operations that blend an image with a degenerate version of itself, as Pillow 9.4's ImageEnhance does: Color with its
 * grey version, Sharpness with its smoothed one. Factor 0 gives the degenerate version, 1 the image, more overshoots.
 */

import { luma } from './luma.js';
import { byteSize, type PixelOperation } from './pixels.js';
import { MAX_IMAGE_BYTES } from './workspace.js';

// See workspace.ts for the form of the loops.
const inputSpace = new Uint8Array(MAX_IMAGE_BYTES);
const outputSpace = new Uint8Array(MAX_IMAGE_BYTES);

/** factor·d in single precision for each difference d = −255…255 of two levels, stored at d + 255. */
const scaledDifference = new Float32Array(511);

function fillScaledDifferences(factor: number): void {
  const step = Math.fround(factor);
  for (let difference = -255; difference <= 255; difference++) {
    scaledDifference[difference + 255] = step * difference;
  }
}

/** degenerate + factor·(level − degenerate) in single precision, as Pillow blends, cut to 0…255 towards zero. */
function blend(degenerate: number, level: number, scaled: Float32Array): number {
  const value = Math.fround(degenerate + scaled[level - degenerate + 255]) | 0;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** Saturation. A greyscale image stays as it is. */
export const color: PixelOperation = (source, target, factor) => {
  const { data, channels } = source;
  if (channels === 1) {
    target.set(data);
    return;
  }
  const input = inputSpace;
  const output = outputSpace;
  const scaled = scaledDifference;
  const size = byteSize(source);
  fillScaledDifferences(factor);
  input.set(data);
  for (let i = 0; i < size; i += 3) {
    const red = input[i];
    const green = input[i + 1];
    const blue = input[i + 2];
    const grey = luma(red, green, blue);
    output[i] = blend(grey, red, scaled);
    output[i + 1] = blend(grey, green, scaled);
    output[i + 2] = blend(grey, blue, scaled);
  }
  target.set(output.subarray(0, size));
};

/** Rounded thirteenths: the smoothing kernel (all ones, centre 5) sums to at most 13·255. */
const thirteenth = Uint8Array.from({ length: 13 * 255 + 1 }, (_, sum) => Math.floor(sum / 13 + 0.5));

/** Sharpness, against a 3×3 smoothing. The outermost pixels are not smoothed and stay as they are. */
export const sharpness: PixelOperation = (source, target, factor) => {
  const input = inputSpace;
  const output = outputSpace;
  const scaled = scaledDifference;
  const smooth = thirteenth;
  const { data, height, width, channels } = source;
  const size = byteSize(source);
  const stride = width * channels;
  fillScaledDifferences(factor);
  input.set(data);
  output.set(data);
  for (let row = 1; width > 2 && row < height - 1; row++) {
    for (let channel = 0; channel < channels; channel++) {
      // The window of 3×3 moves along the row: each step adds a column of three levels and forgets one.
      let i = row * stride + channel;
      const last = i + stride - channels;
      let left = input[i - stride] + input[i] + input[i + stride];
      i += channels;
      let level = input[i];
      let middle = input[i - stride] + level + input[i + stride];
      for (; i < last; i += channels) {
        const next = i + channels;
        const nextLevel = input[next];
        const right = input[next - stride] + nextLevel + input[next + stride];
        output[i] = blend(smooth[left + middle + right + 4 * level], level, scaled);
        left = middle;
        middle = right;
        level = nextLevel;
      }
    }
  }
  target.set(output.subarray(0, size));
};
