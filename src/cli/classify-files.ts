/** Classifies any number of image files in bounded memory: decodes a batch while the model computes the one before. */
import { setTimeout } from 'node:timers/promises';
import { InputError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import { mapSome } from '../infer/map-some.js';
import type { Classification } from '../infer/model.js';
import type { NamedImage } from './image-files.js';

/** What an exported model tells of an image, or as much of it as a run can. */
export type Prediction = Pick<Classification, 'label' | 'confidence' | 'classes'> & Partial<Classification>;

export interface Classifier {
  /** @throws InputError where it cannot be read */
  decode(path: string): Promise<Pixels>;
  classify(images: readonly Pixels[]): Promise<Prediction[]>;
  close(): Promise<void>;
}

/** One line of output. */
export type FileResult = { readonly image: string } & (Prediction | { readonly error: string });

/** Images a run of the model. */
const BATCH = 64;
/** A batch that is not full waits this long for the next image. */
const PATIENCE_MILLISECONDS = 50;

/** In the order of the files; one that cannot be read has an error in its place. */
export async function* classifyFiles(
  images: AsyncIterable<NamedImage>,
  classifier: Classifier,
): AsyncGenerator<FileResult> {
  const batches = inBatches(images);
  const decodeNext = async () => {
    const { value: batch } = await batches.next();
    return batch && mapSome(batch, (image) => decode(image, classifier));
  };
  let next = decodeNext();
  for (let batch = await next; batch !== undefined; batch = await next) {
    next = decodeNext();
    next.catch(() => {}); // is thrown where it is awaited, which an error of this batch may prevent
    const readable = batch.filter((image) => 'pixels' in image);
    const predictions = (await classifier.classify(readable.map(({ pixels }) => pixels))).values();
    for (const image of batch) {
      if ('error' in image) yield { image: image.path, error: image.error };
      else yield { image: image.path, ...(predictions.next().value as Prediction) };
    }
  }
}

type DecodedImage = { readonly path: string } & ({ readonly pixels: Pixels } | { readonly error: string });

async function decode(image: NamedImage, classifier: Classifier): Promise<DecodedImage> {
  if ('error' in image) return image;
  try {
    return { path: image.path, pixels: await classifier.decode(image.path) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { path: image.path, error: error.message };
  }
}

/** Full batches, or what has come when the next item lets itself be waited for. */
async function* inBatches<T>(items: AsyncIterable<T>): AsyncGenerator<T[], undefined> {
  const iterator = items[Symbol.asyncIterator]();
  let next = iterator.next();
  for (let item = await next; !item.done; item = await next) {
    const batch = [item.value];
    const late = setTimeout(PATIENCE_MILLISECONDS, undefined, { ref: false });
    next = iterator.next();
    while (batch.length < BATCH) {
      const following = await Promise.race([next, late]);
      if (following === undefined || following.done) break;
      batch.push(following.value);
      next = iterator.next();
    }
    yield batch;
  }
}
