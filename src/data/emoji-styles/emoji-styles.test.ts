import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputError } from '../../errors.js';
import { catalog } from '../catalog/index.js';
import type { ImageList } from '../folder/list.js';
import { PARTS } from '../folder/list.js';
import { classNames, parseDomainList } from '../formats/domain-list.js';
import { readerOf } from '../readers/index.js';
import { readUnicodeEmoji } from './artwork.js';
import { buildEmojiStyles } from './build.js';
import { chooseEmoji, conceptOf, type EmojiImage } from './concepts.js';
import { families, familyNames, INSTALL_COMMAND } from './families.js';

const root = mkdtempSync(join(tmpdir(), 'featmatch-emoji-'));
const packages = join(root, 'packages');
const SIDE = 8;
// A class of as many concepts as are needed, and one of too few. The real packages are too large to come with the tests.
const tools = Array.from({ length: 22 }, (_, i) => ({
  codes: (0x1f600 + i).toString(16).toUpperCase(),
  name: `tool ${i}`,
  group: 'Objects',
  subgroup: 'odd & tool',
}));
const birds = tools.map((tool, i) => ({
  ...tool,
  codes: (0x1f700 + i).toString(16).toUpperCase(),
  name: `bird ${i % 10} face`.replace(i < 10 ? ' face' : /$^/, ''),
  subgroup: 'bird',
}));

/** Packages of the real form: a disc for each emoji, its color by the family, on a canvas of the family's size. */
function writePackages(): void {
  const write = (npmPackage: string, file: string, content: unknown) => {
    const path = join(packages, 'node_modules', npmPackage, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(content));
  };
  write('emoji.json', 'emoji.json', [...tools, ...birds]);
  familyNames.forEach((family, index) => {
    const { npmPackage } = families[family];
    const size = 16 * (index + 1);
    const named = [...tools, ...birds].map(({ codes, name }) => [
      codes.toLowerCase(),
      name.replace(/ /g, '-'),
    ]);
    const body = `<circle cx="${size / 2}" cy="${size / 2}" r="${size / 2}" fill="rgb(${40 * index},0,0)"/>`;
    const icons = Object.fromEntries(named.map(([, name]) => [name, { body }]));
    write(npmPackage, 'icons.json', { icons, width: size, height: size });
    write(npmPackage, 'chars.json', 'namesFrom' in families[family] ? {} : Object.fromEntries(named));
    write(npmPackage, 'package.json', { version: `9.9.${index}` });
  });
}

const build = (name: string, side = SIDE) =>
  buildEmojiStyles({ folder: join(root, name), side, packagesFrom: packages });

/** SHA-256 of each file below a folder. */
function hashes(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(folder.length), createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}

beforeAll(async () => {
  writePackages();
  await build('built');
});
afterAll(() => rmSync(root, { recursive: true }));

describe('building emoji-styles', () => {
  const built = join(root, 'built');
  const list = (domain: string, part: string) => {
    const path = join(built, `${domain}_${part}.txt`);
    return parseDomainList(readFileSync(path), path);
  };

  test('draws every emoji of a large enough class once in every style', () => {
    for (const domain of familyNames) {
      const images = PARTS.flatMap((part) => list(domain, part).images);
      expect(new Set(images).size).toBe(tools.length);
      for (const image of images) {
        expect(image.startsWith(`${domain}/odd-tool/1f6`)).toBe(true);
        expect(existsSync(join(built, image))).toBe(true);
      }
    }
  });

  test('writes lists that belong together', () => {
    const lists = familyNames.flatMap((domain) => PARTS.map((part) => list(domain, part)));
    expect(classNames(lists)).toEqual(['odd-tool']);
  });

  test('puts the same emoji into the same part of every style', () => {
    for (const part of PARTS) {
      const emoji = (domain: string) => list(domain, part).images.map((path) => path.replace(domain, ''));
      for (const domain of familyNames) expect(emoji(domain)).toEqual(emoji('noto'));
    }
  });

  test('scales the whole canvas and puts what is transparent on white', async () => {
    const { images } = list('twemoji', 'test');
    const { data, info } = await sharp(join(built, images[0])).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([SIDE, SIDE, 3]);
    expect([...data.subarray(0, 3)].every((level) => level > 200)).toBe(true); // a corner
    const center = 3 * (SIDE * (SIDE / 2) + SIDE / 2);
    expect([...data.subarray(center, center + 3)]).toEqual([40, 0, 0]);
  });

  test('says under which licences, by whom and in which version', () => {
    const text = readFileSync(join(built, 'LICENCES.txt'), 'utf8');
    familyNames.forEach((name, index) => {
      const { author, licence, licenceUrl, npmPackage } = families[name];
      expect(text).toContain(
        `${name}: ${npmPackage} 9.9.${index}, by ${author}, ${licence}, ${licenceUrl}\n`,
      );
    });
  });

  test('is read as the data set of several domains of its name', () => {
    const { layout, height, width } = catalog['emoji-styles'];
    expect(readerOf(layout).missing(built, layout)).toBeNull();
    const { images, domains } = readerOf(layout).read(built, {
      layout,
      classCount: 1,
      height,
      width,
    }) as ImageList;
    expect(domains).toEqual(familyNames); // the target first
    const counts = (part: string) =>
      familyNames.map((_, domain) => images.filter((i) => i.part === part && i.domain === domain).length);
    expect(counts('train')).toEqual([13, 13, 13, 13, 13, 13]);
    expect(counts('validation')).toEqual([2, 0, 0, 0, 0, 0]);
    expect(counts('test')).toEqual([7, 0, 0, 0, 0, 0]);
    const emoji = (part: string) => images.filter((i) => i.part === part).map(({ path }) => basename(path));
    const trained = new Set(emoji('train'));
    expect([...emoji('validation'), ...emoji('test')].filter((file) => trained.has(file))).toEqual([]);
  });

  test('gives the same bytes again', async () => {
    await build('again');
    expect(hashes(join(root, 'again'))).toEqual(hashes(built));
  });

  test('refuses to write over what is there', async () => {
    await expect(build('built')).rejects.toThrow('exists already');
    await expect(build('built')).rejects.toThrow(InputError);
  });

  test.each([0, 7, 8.5, 513, Number.NaN])('refuses a side of %d', async (side) => {
    await expect(build('other', side)).rejects.toThrow(InputError);
  });

  test('says how to install packages that are missing', async () => {
    const options = { folder: join(root, 'other'), side: SIDE, packagesFrom: root };
    const refusal = buildEmojiStyles(options);
    await expect(refusal).rejects.toThrow(InputError);
    await expect(refusal).rejects.toThrow(INSTALL_COMMAND);
    expect(existsSync(join(root, 'other'))).toBe(false);
  });
});

describe('the emoji of Unicode', () => {
  const emoji = chooseEmoji(readUnicodeEmoji(root), () => true);
  const groupBy = (key: (image: EmojiImage) => string) => {
    const groups = new Map<string, EmojiImage[]>();
    for (const image of emoji) groups.set(key(image), [...(groups.get(key(image)) ?? []), image]);
    return [...groups.values()];
  };

  test('give ten classes or more, of single code points that occur once', () => {
    expect(groupBy(({ subgroup }) => subgroup).length).toBeGreaterThanOrEqual(10);
    expect(new Set(emoji.map(({ codePoint }) => codePoint)).size).toBe(emoji.length);
    expect(emoji.every(({ codePoint }) => /^[0-9a-f]+$/.test(codePoint))).toBe(true);
    expect(emoji.filter(({ name }) => /flag:|skin tone/.test(name))).toEqual([]);
  });

  test('are split by concept: none is in two parts', () => {
    for (const images of groupBy(({ subgroup, concept }) => `${subgroup}: ${concept}`)) {
      expect(new Set(images.map(({ part }) => part)).size).toBe(1);
    }
  });

  test('are split alike in every class: about 60, 10 and 30 % of its concepts', () => {
    for (const images of groupBy(({ subgroup }) => subgroup)) {
      const concepts = new Map(images.map(({ concept, part }) => [concept, part]));
      const share = (part: string) => [...concepts.values()].filter((p) => p === part).length / concepts.size;
      expect(Math.abs(share('train') - 0.6)).toBeLessThan(0.03);
      expect(Math.abs(share('validation') - 0.1)).toBeLessThan(0.03);
      expect(Math.abs(share('test') - 0.3)).toBeLessThan(0.05);
    }
  });

  test.each([
    ['dog face', 'dog'],
    ['poodle', 'dog'],
    ['oncoming bus', 'bus'],
    ['waxing crescent moon', 'new moon face'],
    ['ten o’clock', 'one-thirty'],
    ['green heart', 'light blue heart'],
    ['open mailbox with raised flag', 'closed mailbox with lowered flag'],
    ['woman’s boot', 'hiking boot'],
  ])('%s and %s are one concept', (one, other) => {
    expect(conceptOf(one)).toBe(conceptOf(other));
  });

  test.each([
    ['dog', 'cat'],
    ['horse', 'racing car'],
    ['worried face', 'crying face'],
  ])('%s and %s are two', (one, other) => {
    expect(conceptOf(one)).not.toBe(conceptOf(other));
  });
});
