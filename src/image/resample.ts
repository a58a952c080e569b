/**
 * Bicubic resampling (Keys' kernel with a = −1), equal to Pillow 9.4's `Image.transform(AFFINE, BICUBIC)`: positions
 * and levels in double precision, edge pixels repeated beyond the image, 0 where the position to read is outside it,
 * fractions cut off.
 *
 * Because fractions are cut off, a result that is an integer but for the last bit of the arithmetic would be a level
 * off if it were summed in another order. Along lines that happens often, for round shifts at one pixel in a hundred.
 * So sums are taken the fast way there and, where they come out next to an integer, again in Pillow's order.
 */

import { byteSize, type Pixels } from './pixels.js';
import { MAX_IMAGE_BYTES } from './workspace.js';

// See workspace.ts for the form of the loops.
const inputSpace = new Uint8Array(MAX_IMAGE_BYTES);
const outputSpace = new Uint8Array(MAX_IMAGE_BYTES);
const levelSpace = new Float64Array(MAX_IMAGE_BYTES); // an image as floating point, converted once for sixteen reads
const doubtfulSpace = new Int32Array(MAX_IMAGE_BYTES); // places whose fast sum came out next to an integer

/** The cubic through four equally spaced levels at distance d ∈ [0, 1) behind the second, in Pillow's order. */
function cubic(v0: number, v1: number, v2: number, v3: number, d: number): number {
  return v1 + d * (v2 - v0 + d * (2 * (v0 - v1) + v2 - v3 + d * (v1 - v0 - v2 + v3)));
}

function clamp(value: number, last: number): number {
  return value < 0 ? 0 : value > last ? last : value;
}

function toByte(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.floor(value);
}

/** Output position i of a line reads at i + slope · (line + ½) + offset. */
export interface LineMap {
  readonly slope: number;
  readonly offset: number;
}

/** Moves the pixels of each row along the row. */
export function resampleRows(source: Pixels, target: Uint8Array, map: LineMap): void {
  const { height, width, channels } = source;
  resampleLines(source, target, {
    ...map,
    areRows: true,
    lines: height,
    lineStep: width * channels,
    length: width,
    step: channels,
  });
}

/** Moves the pixels of each column along the column. */
export function resampleColumns(source: Pixels, target: Uint8Array, map: LineMap): void {
  const { height, width, channels } = source;
  resampleLines(source, target, {
    ...map,
    areRows: false,
    lines: width,
    lineStep: channels,
    length: height,
    step: width * channels,
  });
}

interface Lines extends LineMap {
  /** The lines are the image's rows; else its columns. */
  readonly areRows: boolean;
  /** Number of lines, and bytes from one to the next. */
  readonly lines: number;
  readonly lineStep: number;
  /** Pixels in a line, and bytes from one to the next. */
  readonly length: number;
  readonly step: number;
}

// Weights are multiples of 2⁻²²: 255 · Σ|weight| stays below 2³¹.
const WEIGHT_BITS = 22;
const ONE = 1 << WEIGHT_BITS;
const FRACTION = ONE - 1;
const TOLERANCE = 1 << 10; // more than four rounded weights can be off, at level 255

/** All pixels of a line move alike: four weights a line. */
function resampleLines(source: Pixels, target: Uint8Array, lines: Lines): void {
  const input = inputSpace;
  const output = outputSpace;
  const doubtful = doubtfulSpace;
  const channels = source.channels | 0;
  const length = lines.length | 0;
  const step = lines.step | 0;
  const size = byteSize(source);
  input.set(source.data);
  output.fill(0, 0, size);
  let doubts = 0;
  for (let line = 0; line < lines.lines; line++) {
    const start = firstReadingFrom(0, line, lines);
    const end = firstReadingFrom(length, line, lines);
    const position = positionOf(start, line, lines);
    const nearest = Math.floor(position) | 0;
    const d = position - nearest;
    const w0 = Math.round(ONE * d * (d * (2 - d) - 1)) | 0;
    const w2 = Math.round(ONE * d * (1 + d * (1 - d))) | 0;
    const w3 = Math.round(ONE * d * d * (d - 1)) | 0;
    const w1 = ONE - w0 - w2 - w3;

    // A window of four levels moves along the line; beyond the line's ends its end pixels repeat.
    const first = line * lines.lineStep;
    const last = first + (length - 1) * step;
    const i1 = first + clamp(nearest - 1, length - 1) * step;
    const i2 = first + clamp(nearest, length - 1) * step;
    const i3 = first + clamp(nearest + 1, length - 1) * step;
    const i4 = first + clamp(nearest + 2, length - 1) * step;
    for (let channel = 0; channel < channels; channel++) {
      let v0 = 0;
      let v1 = input[i1 + channel];
      let v2 = input[i2 + channel];
      let v3 = input[i3 + channel];
      let next = i4 + channel;
      const outEnd = first + end * step;
      for (let out = first + start * step + channel; out < outEnd; out += step) {
        v0 = v1;
        v1 = v2;
        v2 = v3;
        v3 = input[next];
        if (next < last) next += step;
        const sum = (Math.imul(w0, v0) + Math.imul(w1, v1) + Math.imul(w2, v2) + Math.imul(w3, v3)) | 0;
        const level = sum >> WEIGHT_BITS;
        output[out] = level < 0 ? 0 : level > 255 ? 255 : level;
        if (((sum + TOLERANCE) & FRACTION) < 2 * TOLERANCE && !(v0 === v1 && v1 === v2 && v2 === v3)) {
          doubtful[doubts++] = out;
        }
      }
    }
  }
  for (let doubt = 0; doubt < doubts; doubt++) {
    const out = doubtful[doubt];
    output[out] = exactLineLevel(source, lines, out);
  }
  target.set(output.subarray(0, size));
}

/** Where output pixel i of a line reads, relative to the centre of pixel 0; in Pillow's order of summation. */
function positionOf(i: number, line: number, { slope, offset }: LineMap): number {
  return i + 0.5 + slope * (line + 0.5) + offset - 0.5;
}

/** The first output pixel, 0…length, that reads at `edge` or beyond. */
function firstReadingFrom(edge: number, line: number, { slope, offset, length }: Lines): number {
  const shift = slope * (line + 0.5);
  let i = clamp(Math.ceil(edge - 0.5 - shift - offset) | 0, length);
  while (i > 0 && i - 0.5 + shift + offset >= edge) i--; // the estimate may be one off
  while (i < length && i + 0.5 + shift + offset < edge) i++;
  return i;
}

/** The level at index `out` of the output, from `inputSpace`, in Pillow's arithmetic. */
function exactLineLevel({ width, channels }: Pixels, lines: Lines, out: number): number {
  const { length, lineStep, step } = lines;
  const row = Math.floor(out / (width * channels));
  const column = Math.floor(out / channels) % width;
  const [line, i] = lines.areRows ? [row, column] : [column, row];
  const first = line * lineStep + (out % channels);
  const position = positionOf(i, line, lines);
  const nearest = Math.floor(position);
  const [v0, v1, v2, v3] = [-1, 0, 1, 2].map(
    (along) => inputSpace[first + clamp(nearest + along, length - 1) * step],
  );
  return toByte(cubic(v0, v1, v2, v3, position - nearest));
}

/** Output position (row, column) reads at rowByRow · row + rowByColumn · column + rowOffset, and the column likewise. */
export interface AffineMap {
  readonly rowByRow: number;
  readonly rowByColumn: number;
  readonly rowOffset: number;
  readonly columnByRow: number;
  readonly columnByColumn: number;
  readonly columnOffset: number;
}

/**
 * Added before the fraction is cut off, more than the arithmetic can be wrong by: an even area keeps its level. Elsewhere
 * an exact integer is rare here, but Pillow may get it a last bit, and hence a level, too small (see the parity test).
 */
const GUARD = 1e-9;

/** Reads each output pixel where `map` sends its centre: sixteen weights a pixel. */
export function resample(source: Pixels, target: Uint8Array, map: AffineMap): void {
  const levels = levelSpace;
  const output = outputSpace;
  const height = source.height | 0;
  const width = source.width | 0;
  const channels = source.channels | 0;
  const stride = width * channels;
  const size = byteSize(source);
  levels.set(source.data);
  output.fill(0, 0, size);
  for (let row = 0; row < height; row++) {
    const rowByRow = map.rowByRow * (row + 0.5);
    const columnByRow = map.columnByRow * (row + 0.5);
    for (let column = 0; column < width; column++) {
      const y = rowByRow + map.rowByColumn * (column + 0.5) + map.rowOffset;
      const x = columnByRow + map.columnByColumn * (column + 0.5) + map.columnOffset;
      if (y < 0 || y >= height || x < 0 || x >= width) continue;
      const nearestRow = Math.floor(y - 0.5) | 0;
      const nearestColumn = Math.floor(x - 0.5) | 0;
      const dy = y - 0.5 - nearestRow;
      const dx = x - 0.5 - nearestColumn;
      const y0 = dy * (dy * (2 - dy) - 1);
      const y1 = 1 + dy * dy * (dy - 2);
      const y2 = dy * (1 + dy * (1 - dy));
      const y3 = dy * dy * (dy - 1);
      const x0 = dx * (dx * (2 - dx) - 1);
      const x1 = 1 + dx * dx * (dx - 2);
      const x2 = dx * (1 + dx * (1 - dx));
      const x3 = dx * dx * (dx - 1);
      const r0 = clamp(nearestRow - 1, height - 1) * stride;
      const r1 = clamp(nearestRow, height - 1) * stride;
      const r2 = clamp(nearestRow + 1, height - 1) * stride;
      const r3 = clamp(nearestRow + 2, height - 1) * stride;
      let c0 = clamp(nearestColumn - 1, width - 1) * channels;
      let c1 = clamp(nearestColumn, width - 1) * channels;
      let c2 = clamp(nearestColumn + 1, width - 1) * channels;
      let c3 = clamp(nearestColumn + 2, width - 1) * channels;
      let out = row * stride + column * channels;
      for (const end = out + channels; out < end; out++, c0++, c1++, c2++, c3++) {
        const value =
          y0 * (x0 * levels[r0 + c0] + x1 * levels[r0 + c1] + x2 * levels[r0 + c2] + x3 * levels[r0 + c3]) +
          y1 * (x0 * levels[r1 + c0] + x1 * levels[r1 + c1] + x2 * levels[r1 + c2] + x3 * levels[r1 + c3]) +
          y2 * (x0 * levels[r2 + c0] + x1 * levels[r2 + c1] + x2 * levels[r2 + c2] + x3 * levels[r2 + c3]) +
          y3 * (x0 * levels[r3 + c0] + x1 * levels[r3 + c1] + x2 * levels[r3 + c2] + x3 * levels[r3 + c3]);
        const level = (value + GUARD) | 0;
        output[out] = level < 0 ? 0 : level > 255 ? 255 : level;
      }
    }
  }
  target.set(output.subarray(0, size));
}
