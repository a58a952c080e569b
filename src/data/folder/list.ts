/**
 * Which images a user's own data set has, and what is known of them. Three forms:
 *
 *     labeled/<class>/…  unlabeled/…  validation/<class>/…  test/<class>/…     (the last three optional)
 *     <class>/…          unlabeled/…  validation/<class>/…  test/<class>/…
 *     a CSV or JSONL file with path and label, and perhaps split, of each image
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { InputError } from '../../errors.js';
import { readInputFile } from '../formats/file.js';
import { type Entry, PARTS, type Part, parseImageList } from '../formats/image-list.js';

export { PARTS, type Part };

export interface ListedImage {
  /** relative to the list's folder */
  readonly path: string;
  readonly part: Part;
  /** index of its class; −1 = unknown */
  readonly label: number;
  /** index of its domain, in a data set of several */
  readonly domain?: number;
}

export interface ImageList {
  /** what the paths are relative to */
  readonly folder: string;
  readonly classes: readonly string[];
  /** the target, then the sources; undefined where there is one domain only */
  readonly domains?: readonly string[];
  /** part by part */
  readonly images: readonly ListedImage[];
}

/** Of the names of image files, in small letters. */
export const IMAGE_EXTENSIONS = ['.jpg', '.jpeg', '.png', '.webp', '.avif', '.gif', '.tif', '.tiff'];
const LABELED = 'labeled';
const RESERVED = [LABELED, 'unlabeled', 'validation', 'test'];

/**
 * Lists the images of a folder or of a list file. Hidden files and other kinds of files than JPEG, PNG, WebP, AVIF, GIF
 * and TIFF are passed over.
 * @throws InputError where there is nothing of the forms above; for a list file with the line
 */
export function listImages(path: string): ImageList {
  if (!existsSync(path)) throw new InputError(`there is no folder or list of images ${path}`);
  const isFolder = statSync(path).isDirectory();
  const folder = isFolder ? path : dirname(path);
  const entries = isFolder ? readFolder(path) : readList(path);
  const training = entries.filter(({ part, className }) => part === 'train' && className !== null);
  const classes = [...new Set(training.map(({ className }) => className as string))].sort();
  if (classes.length < 2) {
    throw new InputError(
      `${path} has labeled images of ${classes.length === 0 ? 'no class' : `one class only (${classes[0]})`}, and at ` +
        `least two are needed: put images into ${LABELED}/<class>/ or into one folder for each class`,
    );
  }
  const labelOf = new Map(classes.map((name, label) => [name, label]));
  const images = entries.map(({ path: image, part, className }): ListedImage => {
    const label = className === null ? -1 : (labelOf.get(className) ?? -1);
    if (label < 0 && className !== null) {
      throw new InputError(
        `${join(folder, image)} is a ${part} image of class ${className}, of which there is no labeled image`,
      );
    }
    if (label < 0 && part !== 'train') {
      throw new InputError(`${join(folder, image)} is a ${part} image without a class`);
    }
    return { path: image, part, label };
  });
  images.sort((a, b) => PARTS.indexOf(a.part) - PARTS.indexOf(b.part) || compare(a.path, b.path));
  return { folder, classes, images };
}

/** By code units: the same order on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function readFolder(folder: string): Entry[] {
  const subfolders = visible(folder).filter((name) => statSync(join(folder, name)).isDirectory());
  const labeledFolder = subfolders.includes(LABELED) ? join(folder, LABELED) : folder;
  const reserved = (name: string) => labeledFolder === folder && RESERVED.includes(name);
  const inFolder = (below: string, part: Part, className: string | null) =>
    imagesBelow(below).map((path) => ({ path: relative(folder, path), part, className }));
  const byClass = (parent: string, part: Part) =>
    visible(parent)
      .filter((name) => statSync(join(parent, name)).isDirectory() && !reserved(name))
      .flatMap((name) => inFolder(join(parent, name), part, name));
  return [
    ...byClass(labeledFolder, 'train'),
    ...(subfolders.includes('unlabeled') ? inFolder(join(folder, 'unlabeled'), 'train', null) : []),
    ...(subfolders.includes('validation') ? byClass(join(folder, 'validation'), 'validation') : []),
    ...(subfolders.includes('test') ? byClass(join(folder, 'test'), 'test') : []),
  ];
}

function visible(folder: string): string[] {
  return readdirSync(folder).filter((name) => !name.startsWith('.'));
}

/** All image files below a folder. */
function imagesBelow(folder: string): string[] {
  return visible(folder)
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? imagesBelow(path) : isImageFile(path) ? [path] : []));
}

function isImageFile(path: string): boolean {
  return IMAGE_EXTENSIONS.includes(extname(path).toLowerCase());
}

function readList(path: string): Entry[] {
  return parseImageList(readInputFile(path), path).map(({ path: image, part, className }) => ({
    path: relative(dirname(path), resolve(dirname(path), image)),
    part,
    className,
  }));
}
