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
  for (let row = 0; row < height; row++) {
    let from = row * stride;
    const end = (from + stride) | 0;
    for (let to = (end - channels) | 0; from < end; to = (to - channels) | 0, from = (from + channels) | 0) {
      output[to] = input[from];
      if (channels === 1) continue;
      output[(to + 1) | 0] = input[(from + 1) | 0];
      output[(to + 2) | 0] = input[(from + 2) | 0];
    }
  }
  target.set(output.subarray(0, data.length));
};
