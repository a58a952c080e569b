/**
 * Operations that map each grey level on its own: invert, solarize, posterize, brightness, contrast, autocontrast,
 * equalize. Results equal those of Pillow 9.4 (ImageOps, ImageEnhance).
 */

import { kernels, load, store } from './kernels.js';
import { byteSize, type PixelOperation, type Pixels } from './pixels.js';
import { MAX_IMAGE_BYTES } from './workspace.js';

// See workspace.ts for the form of the loops.
const inputSpace = new Uint8Array(MAX_IMAGE_BYTES);
const outputSpace = new Uint8Array(MAX_IMAGE_BYTES);
/** Tables and histograms of each channel, one behind the other. */
const channelTables = new Uint8Array(3 * 256);
const histograms = new Int32Array(3 * 256);

/** 255 − level. */
export const invert: PixelOperation = (source, target) => solarize(source, target, 0);

/** Inverts all levels from `threshold` (0…256) on. */
export const solarize: PixelOperation = (source, target, threshold) => {
  load(source);
  kernels.invertFrom(byteSize(source), Math.ceil(threshold));
  store(source, target);
};

/** Keeps the upper `bits` (1…8) of every level. */
export const posterize: PixelOperation = (source, target, bits) => {
  load(source);
  kernels.maskLevels(byteSize(source), (0xff << (8 - bits)) & 0xff);
  store(source, target);
};

/** Black for factor 0, the image for 1, brighter beyond. */
export const brightness: PixelOperation = (source, target, factor) => {
  load(source);
  kernels.blendWithLevel(byteSize(source), 0, factor);
  store(source, target);
};

/** Evenly grey for factor 0 (the mean of the image's luma, rounded), the image for 1, more contrast beyond. */
export const contrast: PixelOperation = (source, target, factor) => {
  load(source);
  kernels.blendWithLevel(byteSize(source), meanLuma(source), factor);
  store(source, target);
};

/** Of a loaded image. */
function meanLuma(source: Pixels): number {
  const { height, width, channels } = source;
  const sum = kernels.sumOfLuma(byteSize(source), channels);
  return Math.floor(sum / (height * width) + 0.5);
}

/** Stretches each channel linearly so that its darkest level becomes 0 and its brightest 255. */
export const autoContrast: PixelOperation = (source, target) => {
  countLevels(source);
  for (let channel = 0; channel < source.channels; channel++) fillStretchTable(256 * channel);
  applyChannelTables(source, target);
};

/** Spreads each channel's levels so that they are used about equally often. */
export const equalize: PixelOperation = (source, target) => {
  countLevels(source);
  const pixels = source.height * source.width;
  for (let channel = 0; channel < source.channels; channel++) fillEqualizingTable(256 * channel, pixels);
  applyChannelTables(source, target);
};

/** Fills `histograms`; leaves the image in `inputSpace`. */
function countLevels(source: Pixels): void {
  const input = inputSpace;
  const counts = histograms;
  const size = byteSize(source);
  input.set(source.data);
  counts.fill(0);
  if (source.channels === 1) {
    for (let i = 0; i < size; i++) counts[input[i]]++;
    return;
  }
  for (let i = 0; i < size; i = (i + 3) | 0) {
    counts[input[i]]++;
    counts[256 + input[(i + 1) | 0]]++;
    counts[512 + input[(i + 2) | 0]]++;
  }
}

/** target = channelTables[inputSpace], each channel with its own table. */
function applyChannelTables(source: Pixels, target: Uint8Array): void {
  const input = inputSpace;
  const output = outputSpace;
  const levels = channelTables;
  const size = byteSize(source);
  if (source.channels === 1) {
    for (let i = 0; i < size; i++) output[i] = levels[input[i]];
  } else {
    for (let i = 0; i < size; i = (i + 3) | 0) {
      output[i] = levels[input[i]];
      output[(i + 1) | 0] = levels[256 + input[(i + 1) | 0]];
      output[(i + 2) | 0] = levels[512 + input[(i + 2) | 0]];
    }
  }
  target.set(output.subarray(0, size));
}

/** The table of the channel whose levels are counted from `start` on; a channel of one level keeps it. */
function fillStretchTable(start: number): void {
  const counts = histograms;
  const levels = channelTables;
  let low = 0;
  let high = 255;
  while (counts[start + low] === 0) low++;
  while (counts[start + high] === 0) high--;
  const scale = high > low ? 255 / (high - low) : 1;
  const offset = high > low ? -low * scale : 0;
  for (let level = low; level <= high; level++) {
    const value = (level * scale + offset) | 0;
    levels[start + level] = value < 0 ? 0 : value > 255 ? 255 : value;
  }
}

/** The table of the channel whose levels are counted from `start` on. */
function fillEqualizingTable(start: number, pixels: number): void {
  const counts = histograms;
  const levels = channelTables;
  let brightest = 255;
  while (counts[start + brightest] === 0) brightest--;
  // An even spread of all pixels but those of the brightest level over 255 steps.
  const step = Math.floor((pixels - counts[start + brightest]) / 255);
  let sum = step >> 1;
  for (let level = 0; level <= brightest; level++) {
    const steps = (sum / step) | 0;
    levels[start + level] = step === 0 ? level : steps > 255 ? 255 : steps;
    sum += counts[start + level];
  }
}
