// Data sets of image files by name: lists as their publishers write them, and images that are painted here.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { InputError } from '../errors.js';
import { catalog } from './catalog/index.js';
import { pixelsOf } from './dataset.js';
import { loadDataset } from './load.js';

const root = mkdtempSync(join(tmpdir(), 'featmatch-image-sets-'));
beforeAll(() => vi.stubEnv('FEATMATCH_DATA', join(root, 'cache')));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

/** Few classes in place of a hundred. */
vi.mock('./catalog/index.js', async (original) => {
  const { catalog } = await original<typeof import('./catalog/index.js')>();
  const few = (name: 'mini-imagenet' | 'domainnet') => ({ ...catalog[name], classes: 2 });
  return { catalog: { ...catalog, 'mini-imagenet': few('mini-imagenet'), domainnet: few('domainnet') } };
});

let number = 0;
/** A new folder with these files: text, or images of a level of gray. */
async function folderOf(files: Readonly<Record<string, string | number>>): Promise<string> {
  const folder = join(root, `set-${number++}`);
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : await paint(content));
  }
  return folder;
}

function paint(level: number): Promise<Buffer> {
  const background = { r: level, g: level, b: level };
  return sharp({ create: { width: 90, height: 84, channels: 3, background } })
    .png()
    .toBuffer();
}

/** The level of each image of a set. */
const levels = (set: Parameters<typeof pixelsOf>[0]) =>
  Array.from({ length: set.count }, (_, image) => pixelsOf(set, image)[0]);

async function failure(load: Promise<unknown>): Promise<string> {
  const error = await load.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  return (error as Error).message;
}

describe('mini-ImageNet', () => {
  const files = {
    'train.csv': 'filename,label\na.png,n02\nb.png,n01\nc.png,n02\n',
    'test.csv': 'filename,label\nd.png,n01\n',
    'n02/a.png': 10,
    'n01/b.png': 20,
    'n02/c.png': 30,
    'n01/d.png': 40,
  };

  test('is read from class folders by its lists', async () => {
    const { train, test, validation } = await loadDataset('mini-imagenet', { folder: await folderOf(files) });
    expect(train).toMatchObject({ name: 'mini-imagenet', count: 3, height: 84, width: 84, channels: 3 });
    expect(train.classes).toEqual(['n01', 'n02']);
    expect([[...train.labels], levels(train)]).toEqual([
      [1, 0, 1],
      [10, 20, 30],
    ]);
    expect([[...test.labels], levels(test)]).toEqual([[0], [40]]);
    expect(validation).toBeNull();
    expect(train.names).toEqual(['n02/a.png', 'n01/b.png', 'n02/c.png']);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['other classes', { 'train.csv': 'filename,label\na.png,n02\n' }, /train\.csv: 1 classes instead of 2/],
    [
      'a class of its own',
      { 'test.csv': 'filename,label\nd.png,n9\n' },
      /test\.csv: line 2 has class n9, which train/,
    ],
    ['another format', { 'train.csv': 'a.png n02\n' }, /train\.csv: line 1 is "a\.png n02"/],
  ])('is refused with a list of %s', async (_, changes, message) => {
    const folder = await folderOf({ ...files, ...changes });
    expect(await failure(loadDataset('mini-imagenet', { folder }))).toMatch(message);
  });

  test('says how it is put together, as nobody serves it', async () => {
    expect(await failure(loadDataset('mini-imagenet'))).toMatch(
      /get it by putting it together from ImageNet as docs/,
    );
  });
});

describe('DomainNet', () => {
  const files = {
    'real_train.txt': 'real/apple/1.png 0\nreal/bee/2.png 1\nreal/apple/3.png 0\n',
    'real_test.txt': 'real/bee/4.png 1\n',
    'sketch_train.txt': 'sketch/bee/5.png 1\nsketch/apple/6.png 0\n',
    'sketch_test.txt': 'sketch/bee/7.png 1\n',
    'clipart_train.txt': 'clipart/bee/8.png 1\n',
    'real/apple/1.png': 10,
    'real/bee/2.png': 20,
    'real/apple/3.png': 30,
    'real/bee/4.png': 40,
    'sketch/bee/5.png': 50,
    'sketch/apple/6.png': 60,
    'sketch/bee/7.png': 70,
    'clipart/bee/8.png': 80,
  };
  const sources = ['sketch', 'clipart'];

  test('has the images of the target first, and those of the sources behind them', async () => {
    const folder = await folderOf(files);
    const { train, test } = await loadDataset('domainnet', { folder, sources, side: 16 });
    expect(train).toMatchObject({ count: 6, height: 16, channels: 3, classes: ['apple', 'bee'] });
    expect(levels(train)).toEqual([10, 20, 30, 50, 60, 80]);
    expect([...train.labels]).toEqual([0, 1, 0, 1, 0, 1]);
    expect(train.domains?.names).toEqual(['real', 'sketch', 'clipart']);
    expect([...(train.domains?.of ?? [])]).toEqual([0, 0, 0, 1, 1, 2]);
    expect([levels(test), [...test.labels]]).toEqual([[40], [1]]);
  });

  test('may have any domain as its target, and no sources', async () => {
    const folder = await folderOf(files);
    const options = { folder, target: 'sketch', sources: [], side: 16 };
    const { train, test } = await loadDataset('domainnet', options);
    expect([levels(train), levels(test)]).toEqual([[50, 60], [70]]);
    expect(train.domains?.names).toEqual(['sketch']);
  });

  test('has validation images where there is a list of them', async () => {
    const folder = await folderOf({
      ...files,
      'real_validation.txt': 'real/apple/9.png 0\n',
      'real/apple/9.png': 90,
    });
    const { train, validation, test } = await loadDataset('domainnet', { folder, sources, side: 16 });
    expect(validation && levels(validation)).toEqual([90]);
    expect([levels(train), levels(test)]).toEqual([[10, 20, 30, 50, 60, 80], [40]]);
  });

  test('decodes each domain once, in whatever combination it is used', async () => {
    const folder = await folderOf(files);
    let decoded = 0;
    const load = (sources: string[]) =>
      loadDataset('domainnet', { folder, sources, side: 16, onProgress: () => decoded++ });
    await load([]);
    await load(['sketch']);
    await load(['clipart', 'sketch']);
    expect(decoded).toBe(4 + 2 + 1);
  });

  test('keeps the right domain for each image when some cannot be read', async () => {
    const folder = await folderOf({ ...files, 'real/bee/2.png': 'broken', 'sketch/bee/5.png': 'broken' });
    const { train, leftOut } = await loadDataset('domainnet', { folder, sources, side: 16 });
    expect(levels(train)).toEqual([10, 30, 60, 80]);
    expect([...(train.domains?.of ?? [])]).toEqual([0, 0, 1, 2]);
    expect(leftOut?.map(({ path }) => path)).toEqual(['real/bee/2.png', 'sketch/bee/5.png']);
  });

  test.each<[string, object, RegExp]>([
    ['an unknown target', { target: 'foto' }, /there is no domain foto; there are real, clipart/],
    ['an unknown source', { sources: ['foto'] }, /there is no domain foto/],
    [
      'the target as a source',
      { sources: ['sketch', 'real'] },
      /a domain is named twice: the target is real/,
    ],
    ['a source twice', { sources: ['sketch', 'sketch'] }, /a domain is named twice/],
    ['a domain that is not there', { sources: ['sketch', 'painting'] }, /looked for .*painting_train\.txt/],
  ])('refuses %s', async (_, options, message) => {
    const folder = await folderOf(files);
    expect(await failure(loadDataset('domainnet', { folder, ...options }))).toMatch(message);
  });

  test('refuses lists that do not belong together', async () => {
    const other = { 'sketch_train.txt': 'sketch/apple/5.png 1\n' };
    const folder = await folderOf({ ...files, ...other });
    expect(await failure(loadDataset('domainnet', { folder, sources }))).toMatch(
      /sketch_train\.txt: line 1 has apple as class 1, but class 1 was bee before/,
    );
  });

  test('reads no sources at a ratio of 0', async () => {
    const folder = await folderOf(files);
    const { train } = await loadDataset('domainnet', { folder, sourceRatio: 0, side: 16 });
    expect(train.domains?.names).toEqual(['real']);
  });

  test('has published files for every domain', () => {
    const { layout, download } = catalog.domainnet;
    const domains = 'domains' in layout ? layout.domains : [];
    expect(domains.length).toBe(6);
    for (const domain of domains) {
      const files = download?.files
        .filter((file) => file.domain === domain)
        .map(({ name }) => name.split('/').at(-1));
      expect(files).toEqual([`${domain}_train.txt`, `${domain}_test.txt`, `${domain}.zip`]);
    }
  });
});

describe('a data set of one domain', () => {
  test.each([{ target: 'real' }, { sources: [] }, { sourceRatio: 0.5 }])('refuses %j', async (options) => {
    expect(await failure(loadDataset('mnist', options))).toMatch(
      /images of mnist have one domain only: leave out/,
    );
  });

  test('of one size refuses another side', async () => {
    expect(await failure(loadDataset('mnist', { side: 32 }))).toMatch(
      /images of mnist have 28 pixels a side/,
    );
    expect((await loadDataset('mnist', { side: 28 })).train.height).toBe(28);
  });
});
