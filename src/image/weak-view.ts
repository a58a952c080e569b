import type { Pixels } from './pixels.js';
import type { Random } from './random.js';
import { MAX_IMAGE_BYTES } from './workspace.js';

export interface WeakViewOptions {
  /** Mirror half of the images. */
  readonly flip: boolean;
  /** Width in pixels of the black frame put around the image before it is cut to its size again; 0 = no shift. */
  readonly cropPadding: number;
}

// See workspace.ts for the form of the loops.
const inputSpace = new Uint8Array(MAX_IMAGE_BYTES);
const outputSpace = new Uint8Array(MAX_IMAGE_BYTES);

/**
 * The weak view of FixMatch and FeatMatch: a horizontal flip with probability ½, then a random crop of the image's own
 * size out of the image in a black frame. Writes height·width·channels bytes to the start of `target`.
 */
export function weakView(source: Pixels, target: Uint8Array, random: Random, options: WeakViewOptions): void {
  const { data, height, width, channels } = source;
  const { flip, cropPadding } = options;
  const input = inputSpace;
  const output = outputSpace;
  const flipped = flip && random.integer(2) === 1;
  const down = cropPadding > 0 ? random.integer(2 * cropPadding + 1) - cropPadding : 0;
  const right = cropPadding > 0 ? random.integer(2 * cropPadding + 1) - cropPadding : 0;

  // Output pixel (row, column) shows (row + down, column + right) of the perhaps flipped image, where that exists.
  const firstColumn = Math.min(width, Math.max(0, -right));
  const endColumn = Math.max(firstColumn, Math.min(width, width - right));
  const firstShown = flipped ? width - 1 - (firstColumn + right) : firstColumn + right;
  const step = flipped ? -channels : channels;
  input.set(data);
  output.fill(0, 0, data.length);
  for (let row = Math.max(0, -down); row < Math.min(height, height - down); row++) {
    const to = (row * width + firstColumn) * channels;
    const from = ((row + down) * width + firstShown) * channels;
    for (let channel = 0; channel < channels; channel++) {
      const end = (row * width + endColumn) * channels;
      for (let i = to + channel, j = from + channel; i < end; i += channels, j += step) output[i] = input[j];
    }
  }
  target.set(output.subarray(0, data.length));
}
