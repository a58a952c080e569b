/**
 * The five geometric operations of RandAugment, as affine maps from the centre of an output pixel to the position in
 * the source to read there. Pixel (row r, column c) covers [r, r+1) × [c, c+1); its centre is at (r + ½, c + ½).
 *
 * FeatMatch's published code transposes the image before and after the transformation, so its x is our row; and it
 * turns and shears about (height/2 + ½, width/2 + ½), half a pixel beyond the centre. Both are kept. The sums below
 * are in the order in which its matrix product adds them, because the last bit of an offset can show.
 */

import type { PixelOperation } from './pixels.js';
import { resample, resampleColumns, resampleRows } from './resample.js';

/** Rows move by `value` × their distance from the vertical centre line. */
export const shearX: PixelOperation = (source, target, value) => {
  const centerRow = source.height / 2 + 0.5;
  const centerColumn = source.width / 2 + 0.5;
  resampleColumns(source, target, { slope: value, offset: -centerRow - value * centerColumn + centerRow });
};

/** Columns move by `value` × their distance from the horizontal centre line. */
export const shearY: PixelOperation = (source, target, value) => {
  const centerRow = source.height / 2 + 0.5;
  const centerColumn = source.width / 2 + 0.5;
  resampleRows(source, target, { slope: value, offset: -value * centerRow - centerColumn + centerColumn });
};

/** The image moves left by `value` × its width. */
export const translateX: PixelOperation = (source, target, value) => {
  const centerColumn = source.width / 2 + 0.5;
  resampleRows(source, target, { slope: 0, offset: -centerColumn + (source.width * value + centerColumn) });
};

/** The image moves up by `value` × its height. */
export const translateY: PixelOperation = (source, target, value) => {
  const centerRow = source.height / 2 + 0.5;
  resampleColumns(source, target, { slope: 0, offset: -centerRow + (source.height * value + centerRow) });
};

/** Rotation by `value` degrees. */
export const rotate: PixelOperation = (source, target, value) => {
  const centerRow = source.height / 2 + 0.5;
  const centerColumn = source.width / 2 + 0.5;
  const cosine = Math.cos((value * Math.PI) / 180);
  const sine = Math.sin((value * Math.PI) / 180);
  resample(source, target, {
    rowByRow: cosine,
    rowByColumn: -sine,
    rowOffset: -cosine * centerRow + sine * centerColumn + centerRow,
    columnByRow: sine,
    columnByColumn: cosine,
    columnOffset: -sine * centerRow - cosine * centerColumn + centerColumn,
  });
};
