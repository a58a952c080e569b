import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InputError } from '../errors.js';
import { defaultViewOptions } from '../image/views.js';
import { gatherPixels, pixelsOf, sharedBytes } from './dataset.js';
import { createLoader } from './loader.js';
import { readPackedImage } from './packed-pixels.js';

const SIZE = 16;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'featmatch-packed-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A file of images that show their number. */
function fileOf(name: string, numbers: number[]): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(numbers.map((number) => Buffer.alloc(SIZE, number))));
  return path;
}

/** Seven images in two files, with others before and behind them. */
function packedSet() {
  const images = [
    { path: fileOf('a', [90, 0, 1, 2, 91]), first: 1, count: 3 },
    { path: fileOf('b', []), first: 0, count: 0 },
    { path: fileOf('c', [3, 4, 5, 6, 92]), first: 0, count: 4 },
  ];
  return { count: 7, height: 4, width: 4, channels: 1, images };
}

test('an image is read from the file that holds it', () => {
  const set = packedSet();
  for (let image = 0; image < 7; image++) {
    expect([...pixelsOf(set, image)]).toEqual(Array(SIZE).fill(image));
  }
  expect([...gatherPixels(set, [5, 0])]).toEqual([...Array(SIZE).fill(5), ...Array(SIZE).fill(0)]);
  expect(() => readPackedImage(set.images, 7, SIZE)).toThrow(RangeError);
});

test('a file that is shorter than it was, or not there, is named', () => {
  const set = packedSet();
  truncateSync(set.images[2].path, 3 * SIZE + 5);
  expect(() => pixelsOf(set, 6)).toThrow(InputError);
  expect(() => pixelsOf(set, 6)).toThrow(`${folder}/c: cannot be read (it ends at byte 53); delete it`);
  const gone = { ...set, images: [{ path: join(folder, 'none'), first: 0, count: 7 }] };
  expect(() => pixelsOf(gone, 0)).toThrow(`${folder}/none: cannot be read (ENOENT)`);
});

const numbers = (length: number) => Int32Array.from({ length }, (_, i) => i);

function loaderOf(dataset: ReturnType<typeof packedSet> | ReturnType<typeof inMemory>, workers: number) {
  const views = { ...defaultViewOptions(dataset), flip: true };
  const labeled = numbers(2);
  return createLoader({
    ...{ dataset, labeled, labels: labeled, unlabeled: numbers(7).subarray(2) },
    ...{ labeledBatch: 2, unlabeledBatch: 5, seed: 1, views, workers },
    ...{ labeledViews: { weak: 1, strong: 0 }, unlabeledViews: { weak: 1, strong: 1 } },
  });
}

function inMemory() {
  const set = packedSet();
  const images = sharedBytes(7 * SIZE);
  images.set(gatherPixels(set, numbers(7)));
  return { ...set, images };
}

test.each([0, 1, 4])('batches are the same from files as from memory, with %i workers', async (workers) => {
  const loaders = [loaderOf(packedSet(), workers), loaderOf(inMemory(), 0)];
  for (let step = 0; step < 6; step++) {
    const [packed, memory] = await Promise.all(loaders.map((loader) => loader.next()));
    expect(packed.pixels).toEqual(memory.pixels);
    packed.release();
    memory.release();
  }
  await Promise.all(loaders.map((loader) => loader.close()));
});

test.each([0, 2])(
  'an unreadable file reaches whoever asks for batches, by name, with %i workers',
  async (workers) => {
    const set = packedSet();
    truncateSync(set.images[2].path, 0);
    const loader = loaderOf(set, workers);
    const error = await loader.next().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(/\/c: cannot be read \(it ends at byte \d+\); delete it/);
    await loader.close();
  },
);
