import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../errors.js';
import { gatherPixels, type ImageDataset, pixelsOf } from '../dataset.js';
import { inspectFolder } from './inspect.js';
import { listImages } from './list.js';
import { loadFolder } from './load.js';
import { chooseSide } from './pack.js';

const root = mkdtempSync(join(tmpdir(), 'featmatch-folder-'));
process.env.FEATMATCH_DATA = join(root, 'cache');
afterAll(() => rmSync(root, { recursive: true }));

let folder: string;
let number = 0;
beforeEach(() => {
  folder = join(root, `set-${number++}`);
  mkdirSync(folder);
});

const colors = { cat: '#c02010', dog: '#1020c0', gray: '#808080' };

function write(path: string, content: string | Uint8Array): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

async function paint(path: string, color: keyof typeof colors, [width, height] = [60, 40]): Promise<string> {
  const format = path.split('.').at(-1) as 'png' | 'jpeg';
  const image = sharp({ create: { width, height, channels: 3, background: colors[color] } });
  return write(path, await image.toFormat(format).toBuffer());
}

const namesOf = (images: readonly { path: string }[]) => images.map(({ path }) => path);

describe('the images of a folder', () => {
  it('are labeled by labeled/<class>, and the others as their folders say', () => {
    for (const path of [
      'labeled/cat/1.jpg',
      'labeled/dog/x/2.PNG',
      'unlabeled/deep/3.webp',
      'unlabeled/4.gif',
    ])
      write(path, '');
    for (const path of ['validation/cat/5.jpg', 'test/dog/6.tiff', 'notes.txt', 'unlabeled/.hidden.jpg'])
      write(path, '');
    const { classes, images } = listImages(folder);
    expect(classes).toEqual(['cat', 'dog']);
    expect(images).toEqual([
      { path: 'labeled/cat/1.jpg', part: 'train', label: 0 },
      { path: 'labeled/dog/x/2.PNG', part: 'train', label: 1 },
      { path: 'unlabeled/4.gif', part: 'train', label: -1 },
      { path: 'unlabeled/deep/3.webp', part: 'train', label: -1 },
      { path: 'validation/cat/5.jpg', part: 'validation', label: 0 },
      { path: 'test/dog/6.tiff', part: 'test', label: 1 },
    ]);
  });

  it('are labeled by the folder they lie in where there is no folder labeled', () => {
    for (const path of ['dog/1.jpg', 'cat/2.jpg', 'unlabeled/3.jpg', 'test/cat/4.jpg']) write(path, '');
    const { classes, images } = listImages(folder);
    expect(classes).toEqual(['cat', 'dog']);
    expect(namesOf(images)).toEqual(['cat/2.jpg', 'dog/1.jpg', 'unlabeled/3.jpg', 'test/cat/4.jpg']);
    expect(images.map(({ label }) => label)).toEqual([0, 1, -1, 0]);
  });

  it.each([
    ['of one class only', ['cat/1.jpg'], 'of one class only (cat)'],
    ['of no class', ['a.jpg'], 'of no class'],
    [
      'of a class that has no labeled image',
      ['cat/1.jpg', 'dog/2.jpg', 'test/bird/3.jpg'],
      'test image of class bird',
    ],
  ])('are refused where they are %s', (_, paths, message) => {
    for (const path of paths) write(path, '');
    expect(() => listImages(folder)).toThrow(InputError);
    expect(() => listImages(folder)).toThrow(message);
  });
});

describe('a list of images', () => {
  it('is read from CSV, with quoted paths, empty labels and splits', () => {
    const list = write(
      'list.csv',
      'path,label,split\r\n"a, b.jpg",cat,\nc.jpg,,train\nd.jpg,dog,test\ne.jpg,dog,\n',
    );
    expect(listImages(list)).toEqual({
      folder,
      classes: ['cat', 'dog'],
      images: [
        { path: 'a, b.jpg', part: 'train', label: 0 },
        { path: 'c.jpg', part: 'train', label: -1 },
        { path: 'e.jpg', part: 'train', label: 1 },
        { path: 'd.jpg', part: 'test', label: 1 },
      ],
    });
  });

  it('is read from JSONL, where a label may be a number', () => {
    const list = write(
      'list.jsonl',
      '{"path":"a.jpg","label":7}\n\n{"path":"b.jpg","label":8}\n{"path":"c.jpg"}\n',
    );
    expect(listImages(list).classes).toEqual(['7', '8']);
    expect(listImages(list).images.map(({ label }) => label)).toEqual([0, 1, -1]);
  });

  it.each([
    ['list.csv', 'file,label\na.jpg,cat\n', 'a column path'],
    ['list.csv', 'path,label\na.jpg,cat\n,dog\n', 'line 3: there is no path'],
    ['list.csv', 'path,label\na.jpg,cat\na.jpg,dog\n', 'line 3: a.jpg is listed twice'],
    [
      'list.csv',
      'path,label,split\na.jpg,cat,dev\n',
      'line 2: the split is one of train, validation, test, not "dev"',
    ],
    ['list.csv', 'path,label\n"a.jpg,cat\n', 'is not a CSV list'],
    ['list.jsonl', '{"path":"a.jpg"}\n{"path"\n', 'line 2: not a JSON object'],
    [
      'list.jsonl',
      '{"path":"a.jpg","label":{"toString":1}}',
      'line 1: the label is a name or a number, not {',
    ],
    ['list.jsonl', '{"path":"a.jpg","split":{"toString":1}}', 'line 1: the split is one of train'],
    ['list.txt', 'a.jpg cat', 'neither a folder nor a list'],
  ])('%s with %j is refused, with the line', (name, content, message) => {
    const list = write(name, content);
    expect(() => listImages(list)).toThrow(InputError);
    expect(() => listImages(list)).toThrow(message);
  });
});

describe('loading a folder', () => {
  async function someImages(): Promise<void> {
    await Promise.all([
      ...[1, 2, 3].map((n) => paint(`labeled/cat/${n}.png`, 'cat')),
      ...[1, 2].map((n) => paint(`labeled/dog/${n}.jpeg`, 'dog', [40, 90])),
      paint('unlabeled/a.png', 'dog', [33, 33]),
      paint('test/dog/b.png', 'dog'),
    ]);
  }

  it('brings images to one size and keeps parts, labels and names', async () => {
    await someImages();
    const { train, validation, test, leftOut } = await loadFolder(folder, { side: 16 });
    expect(train).toMatchObject({ count: 6, height: 16, width: 16, channels: 3, classes: ['cat', 'dog'] });
    expect([...train.labels]).toEqual([0, 0, 0, 1, 1, -1]);
    expect(train.names?.at(-1)).toBe('unlabeled/a.png');
    expect(validation).toBeNull();
    expect([...pixelsOf(test as ImageDataset, 0).subarray(0, 3)]).toEqual([0x10, 0x20, 0xc0]);
    expect([0, 3, 5].map((image) => [...pixelsOf(train, image).subarray(0, 3)])).toEqual([
      [0xc0, 0x20, 0x10],
      [16, 31, 192], // JPEG
      [0x10, 0x20, 0xc0],
    ]);
    expect(leftOut).toEqual([]);
  });

  it('leaves out what cannot be read and says why', async () => {
    await someImages();
    write('labeled/cat/0.jpg', '');
    write('unlabeled/text.png', 'not an image');
    const { train, leftOut } = await loadFolder(folder, { side: 8 });
    expect(leftOut?.map(({ path }) => path)).toEqual(['labeled/cat/0.jpg', 'unlabeled/text.png']);
    expect(leftOut?.[0].reason).toContain('cannot be read as an image');
    expect(train.names).not.toContain('unlabeled/text.png');
    expect([...train.labels]).toEqual([0, 0, 0, 1, 1, -1]);
  });

  it('decodes once: the second time it reads what was kept, until an image changes', async () => {
    await someImages();
    const decoded = async () => {
      let count = 0;
      const data = await loadFolder(folder, { side: 8, onProgress: () => count++ });
      return { count, data };
    };
    const first = await decoded();
    const second = await decoded();
    expect([first.count, second.count]).toEqual([7, 0]);
    expect(second.data).toEqual(first.data);
    await paint('labeled/cat/1.png', 'gray');
    expect((await decoded()).count).toBe(7);
  });

  it('has one channel where all images are gray', async () => {
    await Promise.all([paint('cat/1.png', 'gray'), paint('dog/1.png', 'gray')]);
    const { train } = await loadFolder(folder, { side: 8 });
    expect(train.channels).toBe(1);
    expect(new Set(gatherPixels(train, [0, 1]))).toEqual(new Set([0x80]));
  });

  it('refuses a folder of which no image can be read', async () => {
    write('cat/1.jpg', 'x');
    write('dog/1.jpg', 'y');
    await expect(loadFolder(folder)).rejects.toThrow(InputError);
    await expect(loadFolder(folder)).rejects.toThrow('none of 2 images can be read');
  });
});

describe('the side that is chosen', () => {
  it('is 32 for small images and 64 for others', async () => {
    const small = await paint('small.png', 'cat', [40, 32]);
    const large = await paint('large.png', 'cat', [640, 480]);
    expect(await chooseSide([small, small, large])).toBe(32);
    expect(await chooseSide([small, large, large])).toBe(64);
  });
});

describe('inspecting a folder', () => {
  /** A picture of blocks without pattern. */
  async function picture(path: string, seed: number, quality = 90): Promise<void> {
    const blocks = Uint8Array.from({ length: 8 * 8 * 3 }, (_, i) => ((i * 7919 + 131) * (seed + 3)) % 251);
    const image = sharp(blocks, { raw: { width: 8, height: 8, channels: 3 } }).resize(120, 80, {
      fit: 'fill',
    });
    write(path, await image.jpeg({ quality }).toBuffer());
  }

  it('counts classes, formats and sizes, and finds broken, repeated and similar images', async () => {
    await Promise.all([
      picture('labeled/cat/1.jpg', 1),
      picture('labeled/dog/2.jpg', 2),
      picture('unlabeled/1-copy.jpg', 1),
      picture('test/dog/2-again.jpg', 2, 60),
      paint('test/cat/3.png', 'cat', [400, 300]),
    ]);
    write('unlabeled/broken.png', 'x');
    const report = await inspectFolder(folder, { contactSheet: join(folder, 'sheet.png') });
    expect(report).toMatchObject({
      images: 5,
      classes: [
        { name: 'cat', train: 1, validation: 0, test: 1 },
        { name: 'dog', train: 1, validation: 0, test: 1 },
      ],
      unlabeled: 1,
      formats: { jpeg: 4, png: 1 },
      sizes: [
        [120, 80],
        [120, 80],
        [400, 300],
      ],
      broken: [{ path: 'unlabeled/broken.png' }],
      duplicates: [['labeled/cat/1.jpg', 'unlabeled/1-copy.jpg']],
      similar: [['labeled/dog/2.jpg', 'test/dog/2-again.jpg']],
      leaks: [['labeled/dog/2.jpg', 'test/dog/2-again.jpg']],
    });
    const sheet = await sharp(join(folder, 'sheet.png')).metadata();
    expect(sheet.format).toBe('png');
  });
});
