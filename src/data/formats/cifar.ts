/**
 * The two forms of CIFAR's files: plain records (the "binary version") and pickles (the "Python version"). In both an
 * image is 1024 red values, row by row, then 1024 green, then 1024 blue.
 *
 * Source: https://www.cs.toronto.edu/~kriz/cifar.html
 */

import { InputError } from '../../errors.js';
import { damaged } from './file.js';
import type { LabeledImages } from './labeled-images.js';
import { PickledArray, readPickle } from './pickle.js';

const PIXELS = 32 * 32;
const IMAGE = 3 * PIXELS;

/**
 * Records of the binary version.
 *
 * @param labelBytes label bytes before each image, of which the last one is used: 1 in CIFAR-10; 2 in CIFAR-100, the
 *   coarse and the fine class
 * @throws InputError if the file does not consist of whole records
 */
export function parseCifarBinary(file: Uint8Array, path: string, labelBytes: 1 | 2): LabeledImages {
  const record = labelBytes + IMAGE;
  const count = file.length / record;
  if (count === 0 || !Number.isInteger(count)) {
    throw damaged(path, `truncated at byte ${file.length}: not a whole number of records of ${record} bytes`);
  }
  const images = new Uint8Array(count * IMAGE);
  const labels = new Int32Array(count);
  for (let image = 0; image < count; image++) {
    const start = image * record + labelBytes;
    labels[image] = file[start - 1];
    interleave(file.subarray(start), images.subarray(image * IMAGE, (image + 1) * IMAGE));
  }
  return { images, labels };
}

/**
 * A batch of the Python version: a dictionary with the array `data` and the list of labels.
 *
 * @param labelKey `labels` in CIFAR-10, `fine_labels` in CIFAR-100
 * @throws InputError if it is not such a dictionary
 */
export function parseCifarPickle(file: Uint8Array, path: string, labelKey: string): LabeledImages {
  const batch = readPickle(file, path);
  const wrong = (what: string) =>
    new InputError(`${path}: ${what}; check that it is a batch of the data set asked for, or get it again`);
  if (!(batch instanceof Map)) throw wrong('not a dictionary');
  const data: unknown = batch.get('data');
  const labels: unknown = batch.get(labelKey);
  if (!(data instanceof PickledArray) || data.shape.length !== 2 || data.shape[1] !== IMAGE) {
    throw wrong(`has no array "data" of images with ${IMAGE} values`);
  }
  if (!Array.isArray(labels) || !labels.every((label) => Number.isInteger(label) && label >= 0)) {
    throw wrong(`has no list "${labelKey}" of whole numbers`);
  }
  const [count] = data.shape;
  if (labels.length !== count) throw wrong(`has ${labels.length} labels for ${count} images`);
  return { images: imagesOf(data), labels: Int32Array.from(labels) };
}

function imagesOf({ data, shape: [count], isFortran }: PickledArray): Uint8Array {
  const images = new Uint8Array(data.length);
  for (let image = 0; image < count; image++) {
    const into = images.subarray(image * IMAGE, (image + 1) * IMAGE);
    if (isFortran) interleave(data.subarray(image), into, count);
    else interleave(data.subarray(image * IMAGE), into);
  }
  return images;
}

/** (channel, pixel) → (pixel, channel); the values of an image lie `stride` bytes apart. */
function interleave(planes: Uint8Array, image: Uint8Array, stride = 1): void {
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      image[3 * pixel + channel] = planes[stride * (channel * PIXELS + pixel)];
    }
  }
}
