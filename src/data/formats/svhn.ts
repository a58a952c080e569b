/**
 * The cropped digits of SVHN: a MATLAB file with the images `X` (row, column, channel, image) and their digits `y`, where
 * 10 stands for 0.
 *
 * Source: http://ufldl.stanford.edu/housenumbers/
 */

import { InputError } from '../../errors.js';
import type { LabeledImages } from './labeled-images.js';
import { readMat } from './mat.js';

const SIDE = 32;
const CHANNELS = 3;
const IMAGE = SIDE * SIDE * CHANNELS;

/** @throws InputError if the file is no MATLAB file or does not hold 32×32 color images and their digits */
export function parseSvhn(file: Uint8Array, path: string): LabeledImages {
  const arrays = readMat(file, path);
  const wrong = (what: string) =>
    new InputError(`${path}: ${what}; check that it is train_32x32.mat or its like`);
  const x = arrays.get('X');
  const y = arrays.get('y');
  if (x === undefined || y === undefined) throw wrong('has not both the arrays "X" and "y"');
  const [rows, columns, channels, count = 1] = x.shape; // MATLAB leaves out a last dimension of 1
  if (
    rows !== SIDE ||
    columns !== SIDE ||
    channels !== CHANNELS ||
    x.shape.length > 4 ||
    !(x.data instanceof Uint8Array)
  ) {
    throw wrong(`"X" has shape ${x.shape.join('×')} instead of ${SIDE}×${SIDE}×${CHANNELS}×images of bytes`);
  }
  if (y.data.length !== count) throw wrong(`has ${y.data.length} labels for ${count} images`);
  const isDigit = (label: number) => Number.isInteger(label) && label >= 1 && label <= 10;
  const bad = y.data.findIndex((label) => !isDigit(label));
  if (bad >= 0) throw wrong(`image ${bad} has label ${y.data[bad]} instead of 1 to 10`);
  return { images: transposed(x.data, count), labels: Int32Array.from(y.data, (label) => label % 10) };
}

/** (image, channel, column, row), as the bytes lie in column-major order → (image, row, column, channel). */
function transposed(values: Uint8Array, count: number): Uint8Array {
  const images = new Uint8Array(values.length);
  for (let start = 0; start < count * IMAGE; start += IMAGE) {
    for (let row = 0, at = start; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        for (let channel = 0; channel < CHANNELS; channel++, at++) {
          images[at] = values[start + (channel * SIDE + column) * SIDE + row];
        }
      }
    }
  }
  return images;
}
