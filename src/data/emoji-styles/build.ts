/**
 * Draws the data set emoji-styles: artwork of the same things in several styles, each style a domain. The files are laid
 * out as DomainNet's are: `<domain>/<class>/<emoji>.png`, and `<domain>_train.txt` (and validation, test) with a line
 * for each image.
 */

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { InputError } from '../../errors.js';
import { PARTS } from '../folder/list.js';
import { type Artwork, readArtwork, readUnicodeEmoji } from './artwork.js';
import { chooseEmoji, type EmojiImage } from './concepts.js';
import { type FamilyName, families, familyNames } from './families.js';

export interface BuildOptions {
  /** Where to put the data set; it may not exist yet. */
  readonly folder: string;
  /** Side of the images in pixels. */
  readonly side: number;
  /** Folder from which npm packages are looked for. */
  readonly packagesFrom: string;
  readonly onProgress?: (drawn: number, total: number) => void;
}

export interface BuiltDataset {
  readonly classes: readonly string[];
  readonly domains: readonly string[];
  /** Images in all. */
  readonly images: number;
}

const MIN_SIDE = 8;
const MAX_SIDE = 512;

/**
 * The same packages give the same bytes. The folder appears when it is complete.
 *
 * @throws InputError if packages are missing, the folder exists or the side is out of range
 */
export async function buildEmojiStyles(options: BuildOptions): Promise<BuiltDataset> {
  const { folder, side, packagesFrom, onProgress } = options;
  if (!(Number.isInteger(side) && side >= MIN_SIDE && side <= MAX_SIDE)) {
    throw new InputError(`the side is a whole number of pixels from ${MIN_SIDE} to ${MAX_SIDE}, not ${side}`);
  }
  if (existsSync(folder))
    throw new InputError(`${folder} exists already: remove it to draw the images again`);
  const artworks = Object.fromEntries(
    familyNames.map((name) => [name, readArtwork(families[name], packagesFrom)]),
  ) as Record<FamilyName, Artwork>;
  const emoji = chooseEmoji(readUnicodeEmoji(packagesFrom), (codePoint) =>
    familyNames.every((name) => artworks[name].has(codePoint)),
  );
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const total = emoji.length * familyNames.length;
  let drawn = 0;
  for (const domain of familyNames) {
    for (const image of emoji) {
      const path = join(partial, pathOf(domain, image));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, await draw(artworks[domain].svg(image.codePoint), side));
      onProgress?.(++drawn, total);
    }
  }
  const classes = classesOf(emoji);
  for (const { name, content } of listsOf(emoji, classes)) writeFileSync(join(partial, name), content);
  writeFileSync(join(partial, 'LICENCES.txt'), licences(artworks));
  renameSync(partial, folder);
  return { classes, domains: familyNames, images: total };
}

/** An SVG as the bytes of a PNG file, transparent parts white. */
async function draw(svg: string, side: number): Promise<Buffer> {
  return await sharp(Buffer.from(svg), { density: 288 })
    .resize(side, side, { fit: 'contain', background: 'white', kernel: 'lanczos3' })
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .png({ compressionLevel: 9, palette: false })
    .toBuffer();
}

/** Unicode's subgroups, in the alphabet's order. */
function classesOf(emoji: readonly EmojiImage[]): string[] {
  return [...new Set(emoji.map(({ subgroup }) => folderName(subgroup)))].sort();
}

function folderName(name: string): string {
  return name.replace(/[^\p{Letter}\p{Number}]+/gu, '-').toLowerCase();
}

function pathOf(domain: string, { subgroup, codePoint, name }: EmojiImage): string {
  return `${domain}/${folderName(subgroup)}/${codePoint}-${folderName(name)}.png`;
}

/** The list of each part of each domain: "path number-of-class", a line an image. */
function listsOf(emoji: readonly EmojiImage[], classes: readonly string[]) {
  return familyNames.flatMap((domain) =>
    PARTS.map((part) => ({
      name: `${domain}_${part}.txt`,
      content: emoji
        .filter((image) => image.part === part)
        .map((image) => `${pathOf(domain, image)} ${classes.indexOf(folderName(image.subgroup))}\n`)
        .join(''),
    })),
  );
}

function licences(artworks: Readonly<Record<FamilyName, Artwork>>): string {
  const lines = familyNames.map((name) => {
    const { npmPackage, author, licence, licenceUrl } = families[name];
    return `${name}: ${npmPackage} ${artworks[name].version}, by ${author}, ${licence}, ${licenceUrl}\n`;
  });
  return `The images are drawn from these families of emoji, scaled and on white:\n\n${lines.join('')}`;
}
