/** What one should know of a user's own images before training on them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { perceptualHash, similarPairs } from '../../image/perceptual-hash.js';
import { cacheRoot } from '../locate.js';
import { readPackedImage } from '../packed-pixels.js';
import { type ListedImage, listImages, type Part } from './list.js';
import { type BrokenImage, packImages } from './pack.js';

export interface FolderReport {
  readonly images: number;
  /** images of each class and part; `unlabeled` are the training images of unknown class */
  readonly classes: readonly ({ readonly name: string } & Readonly<Record<Part, number>>)[];
  readonly unlabeled: number;
  /** files by format, as their content says */
  readonly formats: Readonly<Record<string, number>>;
  /** width × height of the smallest, the median and the largest image, by number of pixels */
  readonly sizes: readonly (readonly [width: number, height: number])[];
  readonly broken: readonly BrokenImage[];
  /** groups of files with the same bytes */
  readonly duplicates: readonly (readonly string[])[];
  /** pairs of other files that look alike */
  readonly similar: readonly (readonly [string, string])[];
  /** paths of `duplicates` and `similar` whose images stand in different parts, or have different labels */
  readonly leaks: readonly (readonly string[])[];
}

/** What {@link inspectFolder} reads at: enough for hashes and thumbnails. */
const SIDE = 64;
const SHEET_COLUMNS = 12;
const SHEET_MARGIN = 4;
const SHEET_TITLE = 18;

export interface InspectOptions {
  /** where to write a PNG with some images of each class; none without it */
  readonly contactSheet?: string;
  onProgress?(done: number, total: number): void;
}

/** @throws InputError as {@link listImages} and {@link packImages} */
export async function inspectFolder(path: string, options: InspectOptions = {}): Promise<FolderReport> {
  const { folder, classes, images: listed } = listImages(path);
  const packed = await packImages(
    folder,
    listed.map((image) => image.path),
    { side: SIDE, cache: join(cacheRoot(), 'folder'), onProgress: options.onProgress },
  );
  const kept = packed.positions.map((position) => listed[position]);
  const pixels = (index: number) => ({
    data: readPackedImage([packed.images], index, SIDE * SIDE * packed.channels),
    height: SIDE,
    width: SIDE,
    channels: packed.channels,
  });

  const hashOf = (image: ListedImage) =>
    createHash('sha256')
      .update(readFileSync(join(folder, image.path)))
      .digest('hex');
  const duplicates = [...groupBy(kept, hashOf).values()].filter((group) => group.length > 1);
  const same = new Set(
    duplicates.flatMap((group) => group.flatMap((a) => group.map((b) => `${a.path}\n${b.path}`))),
  );
  const similar = similarPairs(kept.map((_, index) => perceptualHash(pixels(index))))
    .map(([a, b]) => [kept[a], kept[b]] as const)
    .filter(([a, b]) => !same.has(`${a.path}\n${b.path}`));
  const leaks = [...duplicates, ...similar].filter((group) =>
    group.some((image) => differs(image, group[0])),
  );

  const headers = await Promise.all(kept.map((image) => sharp(join(folder, image.path)).metadata()));
  const bySize = headers
    .map(({ width, height }) => [width, height] as const)
    .sort(([a, b], [c, d]) => a * b - c * d);
  if (options.contactSheet !== undefined) {
    await writeContactSheet(options.contactSheet, { classes, kept, pixels });
  }
  const paths = (group: readonly ListedImage[]) => group.map((image) => image.path);
  return {
    images: kept.length,
    classes: classes.map((name, label) => {
      const of = (part: Part) => kept.filter((image) => image.part === part && image.label === label).length;
      return { name, train: of('train'), validation: of('validation'), test: of('test') };
    }),
    unlabeled: kept.filter(({ label }) => label < 0).length,
    formats: Object.fromEntries(
      [...groupBy(headers, ({ format }) => String(format))].map(([format, { length }]) => [format, length]),
    ),
    sizes: [bySize[0], bySize[bySize.length >> 1], bySize[bySize.length - 1]],
    broken: packed.broken,
    duplicates: duplicates.map(paths),
    similar: similar.map(([a, b]) => [a.path, b.path]),
    leaks: leaks.map(paths),
  };
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Whether one image must not be the other: it would be tested on what was trained on, or learned under two labels. */
function differs(a: ListedImage, b: ListedImage): boolean {
  return a.part !== b.part || (a.label >= 0 && b.label >= 0 && a.label !== b.label);
}

interface Sheet {
  readonly classes: readonly string[];
  readonly kept: readonly ListedImage[];
  pixels(index: number): { data: Uint8Array; channels: number };
}

/** Rows of the first images of each class, and of the unlabeled ones. */
async function writeContactSheet(file: string, { classes, kept, pixels }: Sheet): Promise<void> {
  const rows = [...classes, 'unlabeled'].map((name, row) => ({
    name,
    members: kept
      .map((image, index) => ({ image, index }))
      .filter(({ image }) => image.part === 'train' && image.label === (row < classes.length ? row : -1))
      .slice(0, SHEET_COLUMNS),
  }));
  const cell = SIDE + SHEET_MARGIN;
  const rowHeight = cell + SHEET_TITLE;
  const layers = rows.flatMap(({ name, members }, row) => [
    { input: titleOf(name), left: SHEET_MARGIN, top: row * rowHeight },
    ...members.map(({ index }, column) => {
      const { data, channels } = pixels(index);
      const raw = { width: SIDE, height: SIDE, channels: channels as 1 | 3 };
      return {
        input: Buffer.from(data),
        raw,
        left: SHEET_MARGIN + column * cell,
        top: row * rowHeight + SHEET_TITLE,
      };
    }),
  ]);
  const width = SHEET_COLUMNS * cell + SHEET_MARGIN;
  const height = rows.length * rowHeight + SHEET_MARGIN;
  await sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite(layers)
    .png()
    .toFile(file);
}

function titleOf(name: string): Buffer {
  const text = name.replace(/[<>&]/g, ' ');
  const [width, height] = [SHEET_COLUMNS * SIDE, SHEET_TITLE];
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
      `<text x="0" y="13" font-family="sans-serif" font-size="13">${text}</text></svg>`,
  );
}
