/**
 * Resizing of whole images, the same on every machine and in a browser: as Pillow's `resize` with LANCZOS and a reducing
 * gap of 3. What shrinks a lot is first averaged over blocks of whole pixels, which is nearly as good and far faster.
 */
import type { Pixels } from './pixels.js';

const LOBES = 3; // Lanczos-3
const REDUCING_GAP = 3;
const WEIGHT_ONE = 2 ** 22; // weights are whole multiples of its inverse

/** Part of an image, in pixels; may begin and end within one. */
interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The largest centered part of an image that has the shape of `size`, resized to it. Pixels are not premultiplied. */
export function resizeAndCrop(image: Pixels, size: { height: number; width: number }): Pixels {
  const scale = Math.min(image.width / size.width, image.height / size.height);
  const left = (image.width - size.width * scale) / 2;
  const top = (image.height - size.height * scale) / 2;
  const box = { left, top, right: left + size.width * scale, bottom: top + size.height * scale };
  const factor = Math.max(1, Math.floor(scale / REDUCING_GAP));
  return factor === 1
    ? resampleBox(image, box, size)
    : resampleBox(averageBlocks(image, factor), scaled(box, 1 / factor), size);
}

function scaled({ left, top, right, bottom }: Box, by: number): Box {
  return { left: left * by, top: top * by, right: right * by, bottom: bottom * by };
}

/** The mean of each block of factor × factor pixels; those at the right and bottom border may be smaller. */
function averageBlocks({ data, height, width, channels }: Pixels, factor: number): Pixels {
  const rows = Math.ceil(height / factor);
  const columns = Math.ceil(width / factor);
  const reduced = new Uint8Array(rows * columns * channels);
  const sums = new Float64Array(columns * channels);
  for (let row = 0; row < rows; row++) {
    const bottom = Math.min(height, (row + 1) * factor);
    sums.fill(0);
    for (let y = row * factor; y < bottom; y++) {
      let at = y * width * channels;
      for (let column = 0; column < columns; column++) {
        const end = at + (Math.min(width, (column + 1) * factor) - column * factor) * channels;
        if (channels === 3) {
          let red = 0;
          let green = 0;
          let blue = 0;
          for (; at < end; at += 3) {
            red += data[at];
            green += data[at + 1];
            blue += data[at + 2];
          }
          sums[3 * column] += red;
          sums[3 * column + 1] += green;
          sums[3 * column + 2] += blue;
        } else {
          for (let channel = 0; at < end; at++, channel = (channel + 1) % channels) {
            sums[column * channels + channel] += data[at];
          }
        }
      }
    }
    for (let column = 0; column < columns; column++) {
      const pixels = (bottom - row * factor) * (Math.min(width, (column + 1) * factor) - column * factor);
      for (let channel = 0; channel < channels; channel++) {
        const at = column * channels + channel;
        reduced[row * columns * channels + at] = Math.floor(sums[at] / pixels + 0.5);
      }
    }
  }
  return { data: reduced, height: rows, width: columns, channels };
}

/** Rows of weights: output i is Σ weight·input over `length[i]` inputs from `first[i]` on. */
interface Filter {
  readonly first: Int32Array;
  readonly length: Int32Array;
  /** taps[i·stride + j] */
  readonly taps: Float64Array;
  readonly stride: number;
}

/** Lanczos weights for `outputs` samples of the inputs between `from` and `to`. */
function lanczosFilter(inputs: number, outputs: number, [from, to]: readonly [number, number]): Filter {
  const scale = (to - from) / outputs;
  const widening = Math.max(1, scale); // a shrinking filter is as wide as what it averages
  const support = LOBES * widening;
  const stride = 2 * Math.ceil(support) + 1;
  const first = new Int32Array(outputs);
  const length = new Int32Array(outputs);
  const taps = new Float64Array(outputs * stride);
  for (let output = 0; output < outputs; output++) {
    const center = from + (output + 0.5) * scale;
    first[output] = Math.max(0, Math.trunc(center - support + 0.5));
    length[output] = Math.min(inputs, Math.trunc(center + support + 0.5)) - first[output];
    const row = taps.subarray(output * stride, output * stride + length[output]);
    for (let i = 0; i < row.length; i++) row[i] = lanczos((i + first[output] - center + 0.5) / widening);
    const total = row.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < row.length; i++) row[i] = Math.round((row[i] / total) * WEIGHT_ONE);
  }
  return { first, length, taps, stride };
}

function lanczos(x: number): number {
  return Math.abs(x) < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Rows first, rounded to whole levels, then columns. */
function resampleBox(image: Pixels, box: Box, { height, width }: { height: number; width: number }): Pixels {
  const { channels } = image;
  const horizontal = lanczosFilter(image.width, width, [box.left, box.right]);
  const vertical = lanczosFilter(image.height, height, [box.top, box.bottom]);
  const firstRow = vertical.first[0]; // only rows that the second pass reads
  const rows = vertical.first[height - 1] + vertical.length[height - 1] - firstRow;
  const narrowed = new Uint8ClampedArray(rows * width * channels);
  for (let row = 0; row < rows; row++) {
    const from = (firstRow + row) * image.width * channels;
    const to = row * width * channels;
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let at = from + horizontal.first[x] * channels + channel;
        const start = x * horizontal.stride;
        const end = start + horizontal.length[x];
        for (let tap = start; tap < end; tap++, at += channels) sum += horizontal.taps[tap] * image.data[at];
        narrowed[to + x * channels + channel] = Math.floor(sum / WEIGHT_ONE + 0.5);
      }
    }
  }
  const output = new Uint8ClampedArray(height * width * channels);
  const rowLength = width * channels;
  const sums = new Float64Array(rowLength);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let i = 0; i < vertical.length[y]; i++) {
      const weight = vertical.taps[y * vertical.stride + i];
      const from = (vertical.first[y] - firstRow + i) * rowLength;
      for (let x = 0; x < rowLength; x++) sums[x] += weight * narrowed[from + x];
    }
    for (let x = 0; x < rowLength; x++) output[y * rowLength + x] = Math.floor(sums[x] / WEIGHT_ONE + 0.5);
  }
  return { data: new Uint8Array(output.buffer), height, width, channels };
}
