/**
 * Bicubic resampling (Keys' kernel with a = −1), equal to Pillow 9.4's `Image.transform(AFFINE, BICUBIC)`: positions
 * and levels in double precision, edge pixels repeated beyond the image, 0 where the position to read is outside it,
 * fractions cut off.
 *
 * Because fractions are cut off, a result that is next to an integer would be a level off if it were summed in another
 * order or with less precision. So sums are taken the fast way, four levels at a time: along lines in whole numbers with
 * weights of 22 bits, in the plane in single precision. Where they come out next to an integer, at one level in hundreds,
 * they are taken again in double precision; along lines in Pillow's order, as round shifts meet integers often.
 */

import { kernels, load, store } from './kernels.js';
import type { Pixels } from './pixels.js';

/** Output position i of a line reads at i + slope · (line + ½) + offset. */
export interface LineMap {
  readonly slope: number;
  readonly offset: number;
}

/** Moves the pixels of each row along the row. */
export function resampleRows(source: Pixels, target: Uint8Array, { slope, offset }: LineMap): void {
  const { height, width, channels } = source;
  load(source);
  kernels.resampleLines(height, width * channels, width, channels, channels, slope, offset);
  store(source, target);
}

/** Moves the pixels of each column along the column. */
export function resampleColumns(source: Pixels, target: Uint8Array, { slope, offset }: LineMap): void {
  const { height, width, channels } = source;
  load(source);
  kernels.resampleLines(width, channels, height, width * channels, channels, slope, offset);
  store(source, target);
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
 * Reads each output pixel where `map` sends its centre: sixteen weights a pixel. A last bit, and hence a level, may be other
 * than Pillow's, which adds in another order; an even area keeps its level (see the parity test).
 */
export function resample(source: Pixels, target: Uint8Array, map: AffineMap): void {
  load(source);
  kernels.resamplePlane(
    source.height,
    source.width,
    source.channels,
    map.rowByRow,
    map.rowByColumn,
    map.rowOffset,
    map.columnByRow,
    map.columnByColumn,
    map.columnOffset,
  );
  store(source, target);
}
