/**
 * Operations that map each grey level on its own, through a table of 256 entries: invert, solarize, posterize,
 * brightness, contrast, autocontrast, equalize. Results equal those of Pillow 9.4 (ImageOps, ImageEnhance).
 */

import { luma } from './luma.js';
import { byteSize, type PixelOperation, type Pixels } from './pixels.js';
import { MAX_IMAGE_BYTES } from './workspace.js';

// See workspace.ts for the form of the loops.
const inputSpace = new Uint8Array(MAX_IMAGE_BYTES);
const outputSpace = new Uint8Array(MAX_IMAGE_BYTES);
const table = new Uint8Array(256);
const histogram = new Int32Array(256);

/** target = table[source], with the same table for all channels. */
function applyTable(source: Pixels, target: Uint8Array): void {
  const input = inputSpace;
  const output = outputSpace;
  const levels = table;
  const size = byteSize(source);
  input.set(source.data);
  for (let i = 0; i < size; i++) output[i] = levels[input[i]];
  target.set(output.subarray(0, size));
}

/** 255 − level. */
export const invert: PixelOperation = (source, target) => {
  for (let level = 0; level < 256; level++) table[level] = 255 - level;
  applyTable(source, target);
};

/** Inverts all levels from `threshold` (0…256) on. */
export const solarize: PixelOperation = (source, target, threshold) => {
  for (let level = 0; level < 256; level++) table[level] = level < threshold ? level : 255 - level;
  applyTable(source, target);
};

/** Keeps the upper `bits` (1…8) of every level. */
export const posterize: PixelOperation = (source, target, bits) => {
  const mask = (0xff << (8 - bits)) & 0xff;
  for (let level = 0; level < 256; level++) table[level] = level & mask;
  applyTable(source, target);
};

/** Black for factor 0, the image for 1, brighter beyond. */
export const brightness: PixelOperation = (source, target, factor) => {
  fillBlendTable(0, factor);
  applyTable(source, target);
};

/** Evenly grey for factor 0 (the mean of the image's luma, rounded), the image for 1, more contrast beyond. */
export const contrast: PixelOperation = (source, target, factor) => {
  fillBlendTable(meanLuma(source), factor);
  applyTable(source, target);
};

function meanLuma(source: Pixels): number {
  const input = inputSpace;
  const size = byteSize(source);
  input.set(source.data);
  let sum = 0;
  if (source.channels === 1) {
    for (let i = 0; i < size; i++) sum += input[i];
  } else {
    for (let i = 0; i < size; i += 3) sum += luma(input[i], input[i + 1], input[i + 2]);
  }
  return Math.floor(sum / (source.height * source.width) + 0.5);
}

/** From a constant `base` to each level, `factor` of the way, in single precision as Pillow blends two images. */
function fillBlendTable(base: number, factor: number): void {
  const step = Math.fround(factor);
  for (let level = 0; level < 256; level++) {
    const value = Math.fround(base + Math.fround(step * (level - base)));
    table[level] = value <= 0 ? 0 : value >= 255 ? 255 : value;
  }
}

/** Stretches each channel linearly so that its darkest level becomes 0 and its brightest 255. */
export const autoContrast: PixelOperation = (source, target) => {
  const input = inputSpace;
  const output = outputSpace;
  const levels = table;
  const { channels } = source;
  const size = byteSize(source);
  input.set(source.data);
  for (let channel = 0; channel < channels; channel++) {
    let low = 255;
    let high = 0;
    for (let i = channel; i < size; i += channels) {
      const level = input[i];
      if (level < low) low = level;
      if (level > high) high = level;
    }
    fillStretchTable(low, high);
    for (let i = channel; i < size; i += channels) output[i] = levels[input[i]];
  }
  target.set(output.subarray(0, size));
};

function fillStretchTable(low: number, high: number): void {
  const scale = 255 / (high - low);
  const offset = -low * scale;
  for (let level = low; level <= high; level++) {
    table[level] = high > low ? Math.min(255, Math.max(0, level * scale + offset)) : level;
  }
}

/** Spreads each channel's levels so that they are used about equally often. */
export const equalize: PixelOperation = (source, target) => {
  const input = inputSpace;
  const output = outputSpace;
  const levels = table;
  const counts = histogram;
  const { channels } = source;
  const size = byteSize(source);
  input.set(source.data);
  for (let channel = 0; channel < channels; channel++) {
    counts.fill(0);
    for (let i = channel; i < size; i += channels) counts[input[i]]++;
    fillEqualizingTable(source);
    for (let i = channel; i < size; i += channels) output[i] = levels[input[i]];
  }
  target.set(output.subarray(0, size));
};

function fillEqualizingTable({ height, width }: Pixels): void {
  let brightest = 255;
  while (histogram[brightest] === 0) brightest--;
  // An even spread of all pixels but those of the brightest level over 255 steps.
  const step = Math.floor((height * width - histogram[brightest]) / 255);
  let sum = step >> 1;
  for (let level = 0; level <= brightest; level++) {
    table[level] = step === 0 ? level : Math.min(255, Math.floor(sum / step));
    sum += histogram[level];
  }
}
