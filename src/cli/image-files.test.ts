import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, expect, it } from 'vitest';
import { nameImages } from './image-files.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-files-'));
afterAll(() => rmSync(folder, { recursive: true }));
for (const name of [
  'b.png',
  'a.JPG',
  'deep/er/c.webp',
  'notes.txt',
  '.hidden.png',
  'odd/d[1].png',
  'odd/d1.png',
]) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), '');
}
mkdirSync(join(folder, 'empty'));

/** Paths and errors without the folder. */
async function named(args: readonly string[], list = '') {
  const { total, images } = await nameImages(args, Readable.from(list));
  const found: string[] = [];
  for await (const image of images) found.push('error' in image ? `! ${image.error}` : image.path);
  return { total, found: found.map((text) => text.replaceAll(`${folder}/`, '')) };
}
const here = (...names: string[]) => names.map((name) => join(folder, name));

it('takes image files of a folder and those below, by name, and no others', async () => {
  symlinkSync(join(folder, 'odd/d1.png'), join(folder, 'deep/link.png'));
  expect(await named([folder])).toEqual({
    total: 6,
    found: ['a.JPG', 'b.png', 'deep/er/c.webp', 'deep/link.png', 'odd/d1.png', 'odd/d[1].png'],
  });
});

it('takes files as they are, whatever their name, in the order given', async () => {
  const { found } = await named(here('notes.txt', 'odd/d[1].png', 'missing.png', 'b.png'));
  expect(found).toEqual(['notes.txt', 'odd/d[1].png', 'missing.png', 'b.png']);
});

it('takes what a glob matches', async () => {
  expect((await named(here('*.png'))).found).toEqual(['b.png']);
  expect((await named(here('**/{c,d1}.*'))).found).toEqual(['deep/er/c.webp', 'odd/d1.png']);
});

it('says where there is nothing, and goes on', async () => {
  expect(await named(here('empty', '*.gif', 'b.png'))).toEqual({
    total: 3,
    found: ['! there are no image files in empty', '! no file matches *.gif', 'b.png'],
  });
});

it('reads paths from standard input between other arguments', async () => {
  const list = 'one.png\n\nwith space.png\r\nlast.png';
  expect(await named([...here('b.png'), '-', ...here('notes.txt')], list)).toEqual({
    total: null,
    found: ['b.png', 'one.png', 'with space.png', 'last.png', 'notes.txt'],
  });
});
