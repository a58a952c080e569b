import { setImmediate } from 'node:timers/promises';
import { gatherPixels, type ImageDataset, type ImageSet } from '../data/dataset.js';
import { InterruptedError } from '../errors.js';
import { type Tensor, tensor, tidy } from '../tensor/index.js';
import { alone, type World } from './distributed/world.js';
import { NotFiniteError } from './divergence.js';
import type { Learning } from './learning.js';
import { type Normalization, toImages } from './pixels.js';

/** Images a forward pass; what fits caches and memory, without effect on the result. */
const BATCH = 256;

export interface PredictionOptions {
  readonly normalization: Normalization;
  /** which of the images */
  readonly indices: ArrayLike<number>;
  readonly signal?: AbortSignal;
  /** computes an equal part in each of its processes; all get all rows. Default: one process alone. */
  readonly world?: World;
  /** after some images more: how many are done */
  onImages?(done: number): void;
}

/**
 * Class probabilities of images, a row for each. Between batches of images, signals and timers have their turn.
 * @throws NotFiniteError where they are no finite numbers
 * @throws InterruptedError where `signal` ends it early
 */
export async function predictImages(
  learning: Learning,
  images: ImageSet,
  options: PredictionOptions,
): Promise<Float32Array[]> {
  const rows = await rowsOf((batch) => learning.predict(batch), images, options);
  if (!rows.every((row) => row.every(Number.isFinite))) {
    throw new NotFiniteError('the class probabilities that the model computes are not finite numbers');
  }
  return rows;
}

/** Features of images, a row for each. @throws InterruptedError as {@link predictImages} */
export function featuresOf(
  learning: Learning,
  images: ImageSet,
  options: PredictionOptions,
): Promise<Float32Array[]> {
  return rowsOf((batch) => learning.features(batch), images, options);
}

/** Rows (N, …) of numbers that are computed of images (N, C, H, W), by all processes. */
async function rowsOf(
  compute: (batch: Tensor) => Tensor,
  images: ImageSet,
  options: PredictionOptions,
): Promise<Float32Array[]> {
  const { indices, world = alone, onImages } = options;
  const { rank, size } = world;
  const count = indices.length;
  if (size === 1 || count === 0) return ownRowsOf(compute, images, options);
  // As many for each: the last ones do the last image again.
  const part = Math.ceil(count / size);
  const own = Array.from({ length: part }, (_, i) => indices[Math.min(count - 1, rank * part + i)]);
  const rows = await ownRowsOf(compute, images, {
    ...options,
    indices: own,
    onImages: onImages && ((done) => onImages(Math.min(count, done * size))),
  });
  const width = rows[0].length;
  const all = tidy(() => {
    const flat = new Float32Array(part * width);
    rows.forEach((row, i) => {
      flat.set(row, i * width);
    });
    return world.gather(tensor(flat, [part, width])).data() as Float32Array;
  });
  return Array.from({ length: count }, (_, i) => all.subarray(i * width, (i + 1) * width));
}

async function ownRowsOf(
  compute: (batch: Tensor) => Tensor,
  images: ImageSet,
  { normalization, indices, signal, onImages }: PredictionOptions,
): Promise<Float32Array[]> {
  const rows: Float32Array[] = [];
  for (let start = 0; start < indices.length; start += BATCH) {
    await setImmediate();
    if (signal?.aborted)
      throw new InterruptedError('interrupted while images were classified', { cause: signal.reason });
    const count = Math.min(BATCH, indices.length - start);
    const pixels = gatherPixels(
      images,
      Array.from({ length: count }, (_, i) => indices[start + i]),
    );
    const numbers = tidy(() => compute(toImages(pixels, images, normalization)).data() as Float32Array);
    const length = numbers.length / count;
    for (let i = 0; i < count; i++) rows.push(numbers.subarray(i * length, (i + 1) * length));
    onImages?.(rows.length);
  }
  return rows;
}

export interface Evaluation {
  readonly images: number;
  /** share of the images whose most probable class is theirs, 0…1 */
  readonly accuracy: number;
  /** mean −log probability of the right class */
  readonly crossEntropy: number;
  /** images of each class (row) by what they were taken for (column) */
  readonly confusion: readonly (readonly number[])[];
}

/** Accuracy on labeled images of a data set. Errors as {@link predictImages}. */
export async function evaluate(
  learning: Learning,
  dataset: ImageDataset,
  options: PredictionOptions,
): Promise<Evaluation> {
  const { indices } = options;
  const rows = await predictImages(learning, dataset, options);
  let crossEntropy = 0;
  const guesses = rows.map((row, i) => {
    const label = dataset.labels[indices[i]];
    crossEntropy -= Math.log(Math.max(row[label], 1e-12)) / rows.length;
    return { label, predicted: mostProbable(row) };
  });
  return { images: rows.length, crossEntropy, ...tally(guesses, dataset.classes.length) };
}

/** Counts which images of each class were taken for which, and the share that was right. */
export function tally(
  guesses: readonly { readonly label: number; readonly predicted: number }[],
  classes: number,
): Pick<Evaluation, 'accuracy' | 'confusion'> {
  const confusion = Array.from({ length: classes }, () => Array<number>(classes).fill(0));
  for (const { label, predicted } of guesses) confusion[label][predicted]++;
  const correct = confusion.reduce((sum, row, label) => sum + row[label], 0);
  return { accuracy: correct / guesses.length, confusion };
}

/** The first of the greatest. */
export function mostProbable(probabilities: Float32Array): number {
  return probabilities.indexOf(probabilities.reduce((greatest, value) => Math.max(greatest, value), -1));
}
