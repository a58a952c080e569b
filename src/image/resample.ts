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
/** Level 0…255 for each result of sum >>> {@link WEIGHT_BITS}, which is below 0 from 512 on. */
const clamped = Uint8Array.from({ length: 1024 }, (_, level) => (level >= 512 ? 0 : Math.min(level, 255)));
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
export function resampleRows(source: Pixels, target: Uint8Array, { slope, offset }: LineMap): void {
  resampleLines(source, target, { slope, offset, areRows: true });
}

/** Moves the pixels of each column along the column. */
export function resampleColumns(source: Pixels, target: Uint8Array, { slope, offset }: LineMap): void {
  resampleLines(source, target, { slope, offset, areRows: false });
}

interface Lines extends LineMap {
  /** The lines are the image's rows; else its columns. */
  readonly areRows: boolean;
}

// Weights are multiples of 2⁻²²: 255 · Σ|weight| stays below 2³¹.
const WEIGHT_BITS = 22;
const ONE = 1 << WEIGHT_BITS;
const FRACTION = ONE - 1;
const TOLERANCE = 1 << 10; // more than four rounded weights can be off, at level 255

/**
 * All pixels of a line move alike: four weights a line. A window of four levels moves along the line; beyond the line's
 * ends its end pixels repeat.
 */
function resampleLines(source: Pixels, target: Uint8Array, lines: Lines): void {
  const input = inputSpace;
  const output = outputSpace;
  const doubtful = doubtfulSpace;
  const clampedLevels = clamped;
  const { slope, offset, areRows } = lines;
  const { height, width, channels } = source;
  const count = areRows ? height : width;
  const lineStep = areRows ? width * channels : channels; // bytes from one line to the next
  const length = areRows ? width : height;
  const step = areRows ? channels : width * channels; // bytes from one pixel of a line to the next
  const size = byteSize(source);
  input.set(source.data);
  output.fill(0, 0, size);
  let doubts = 0;
  for (let line = 0; line < count; line++) {
    const shift = slope * (line + 0.5);
    const positions = { shift, offset, length };
    const start = firstReadingFrom(0, positions);
    const end = firstReadingFrom(length, positions);
    const position = start + 0.5 + shift + offset - 0.5; // in Pillow's order, as in exactLineLevel
    const nearest = Math.floor(position) | 0;
    const d = position - nearest;
    const w0 = Math.round(ONE * d * (d * (2 - d) - 1)) | 0;
    const w2 = Math.round(ONE * d * (1 + d * (1 - d))) | 0;
    const w3 = Math.round(ONE * d * d * (d - 1)) | 0;
    const w1 = (ONE - w0 - w2 - w3) | 0;

    const first = Math.imul(line, lineStep);
    const lastPixel = (length - 1) | 0;
    const last = (first + Math.imul(lastPixel, step)) | 0;
    const i1 = (first + Math.imul(clamp(nearest - 1, lastPixel), step)) | 0;
    const i2 = (first + Math.imul(clamp(nearest, lastPixel), step)) | 0;
    const i3 = (first + Math.imul(clamp(nearest + 1, lastPixel), step)) | 0;
    const i4 = (first + Math.imul(clamp(nearest + 2, lastPixel), step)) | 0;
    const outStart = (first + Math.imul(start, step)) | 0;
    const outEnd = (first + Math.imul(end, step)) | 0;
    for (let channel = 0; channel < channels; channel++) {
      let v0 = 0;
      let v1 = input[i1 + channel];
      let v2 = input[i2 + channel];
      let v3 = input[i3 + channel];
      let next = (i4 + channel) | 0;
      for (let out = (outStart + channel) | 0; out < outEnd; out = (out + step) | 0) {
        v0 = v1;
        v1 = v2;
        v2 = v3;
        v3 = input[next];
        if (next < last) next = (next + step) | 0;
        const sum = (Math.imul(w0, v0) + Math.imul(w1, v1) + Math.imul(w2, v2) + Math.imul(w3, v3)) | 0;
        output[out] = clampedLevels[sum >>> WEIGHT_BITS];
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

/** Pixel i of a line reads at ((i + ½) + shift) + offset, in Pillow's order of summation. */
interface LinePositions {
  readonly shift: number;
  readonly offset: number;
  readonly length: number;
}

/** The first output pixel, 0…length, that reads at `edge` or beyond. */
function firstReadingFrom(edge: number, { shift, offset, length }: LinePositions): number {
  let i = clamp(Math.ceil(edge - 0.5 - shift - offset) | 0, length);
  while (i > 0 && i - 0.5 + shift + offset >= edge) i--; // the estimate may be one off
  while (i < length && i + 0.5 + shift + offset < edge) i++;
  return i;
}

/** The level at index `out` of the output, from `inputSpace`, in Pillow's arithmetic. */
function exactLineLevel({ height, width, channels }: Pixels, lines: Lines, out: number): number {
  const { slope, offset, areRows } = lines;
  const row = Math.floor(out / (width * channels));
  const column = Math.floor(out / channels) % width;
  const line = areRows ? row : column;
  const position = (areRows ? column : row) + 0.5 + slope * (line + 0.5) + offset - 0.5;
  const nearest = Math.floor(position);
  const first = areRows ? out - column * channels : out - row * width * channels;
  const step = areRows ? channels : width * channels;
  const last = (areRows ? width : height) - 1;
  return toByte(
    cubic(
      inputSpace[first + clamp(nearest - 1, last) * step],
      inputSpace[first + clamp(nearest, last) * step],
      inputSpace[first + clamp(nearest + 1, last) * step],
      inputSpace[first + clamp(nearest + 2, last) * step],
      position - nearest,
    ),
  );
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
  const { height, width, channels } = source;
  const { rowByRow, rowByColumn, rowOffset, columnByRow, columnByColumn, columnOffset } = map;
  const lastRow = height - 1;
  const lastColumn = width - 1;
  const stride = width * channels;
  const size = byteSize(source);
  levels.set(source.data);
  output.fill(0, 0, size);
  for (let row = 0; row < height; row++) {
    const rowAlongColumns = rowByRow * (row + 0.5);
    const columnAlongColumns = columnByRow * (row + 0.5);
    for (let column = 0; column < width; column++) {
      const y = rowAlongColumns + rowByColumn * (column + 0.5) + rowOffset;
      const x = columnAlongColumns + columnByColumn * (column + 0.5) + columnOffset;
      if (y < 0 || y >= height || x < 0 || x >= width) continue;
      const nearestRow = ((y + 0.5) | 0) - 1;
      const nearestColumn = ((x + 0.5) | 0) - 1;
      const dy = y - 0.5 - nearestRow;
      const dx = x - 0.5 - nearestColumn;
      const dy2 = dy * dy;
      const y3 = dy2 * dy - dy2;
      const y2 = dy - y3;
      const y1 = 1 - dy2 + y3;
      const y0 = dy2 - y3 - dy;
      const dx2 = dx * dx;
      const x3 = dx2 * dx - dx2;
      const x2 = dx - x3;
      const x1 = 1 - dx2 + x3;
      const x0 = dx2 - x3 - dx;
      const r0 = Math.imul(clamp(nearestRow - 1, lastRow), stride);
      const r1 = Math.imul(clamp(nearestRow, lastRow), stride);
      const r2 = Math.imul(clamp(nearestRow + 1, lastRow), stride);
      const r3 = Math.imul(clamp(nearestRow + 2, lastRow), stride);
      let c0 = Math.imul(clamp(nearestColumn - 1, lastColumn), channels);
      let c1 = Math.imul(clamp(nearestColumn, lastColumn), channels);
      let c2 = Math.imul(clamp(nearestColumn + 1, lastColumn), channels);
      let c3 = Math.imul(clamp(nearestColumn + 2, lastColumn), channels);
      let out = (Math.imul(row, stride) + Math.imul(column, channels)) | 0;
      for (const end = (out + channels) | 0; out < end; out++, c0++, c1++, c2++, c3++) {
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
