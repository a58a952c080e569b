import type { PixelOperation } from './pixels.js';
import { MAX_IMAGE_BYTES } from './workspace.js';

// See workspace.ts for the form of the loops.
const inputSpace = new Uint8Array(MAX_IMAGE_BYTES);
const outputSpace = new Uint8Array(MAX_IMAGE_BYTES);

/** Left becomes right. */
export const mirror: PixelOperation = ({ data, height, width, channels }, target) => {
  const input = inputSpace;
  const output = outputSpace;
  input.set(data);
  const stride = width * channels;
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < height; row++) {
      const first = row * stride + channel;
      let to = first + stride - channels;
      for (let from = first; to >= first; from += channels, to -= channels) output[to] = input[from];
    }
  }
  target.set(output.subarray(0, data.length));
};
