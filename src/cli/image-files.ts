/** The image files that a command line names: files, folders, globs, and a list on standard input. */
import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import { glob, isDynamicPattern } from 'tinyglobby';
import { IMAGE_EXTENSIONS } from '../data/folder/list.js';

/** A file to read; or what names no file, and why. */
export type NamedImage = { readonly path: string } | { readonly path: string; readonly error: string };

export interface NamedImages {
  /** null where a list on standard input has its own length */
  readonly total: number | null;
  readonly images: AsyncIterable<NamedImage>;
}

/** The argument that stands for standard input. */
const STANDARD_INPUT = '-';

/**
 * Images in the order of the arguments, those of a folder and of a glob by name. What exists is taken as it is, also
 * where it looks like a glob.
 * @param lists where `-` reads paths from, one a line, as they come
 */
export async function nameImages(
  args: readonly string[],
  lists: NodeJS.ReadableStream = process.stdin,
): Promise<NamedImages> {
  if (!args.includes(STANDARD_INPUT)) {
    const found = (await Promise.all(args.map(imagesOf))).flat();
    return { total: found.length, images: toAsync(found) };
  }
  async function* images() {
    for (const arg of args) {
      if (arg !== STANDARD_INPUT) yield* await imagesOf(arg);
      else {
        for await (const line of createInterface({ input: lists })) if (line !== '') yield { path: line };
      }
    }
  }
  return { total: null, images: images() };
}

async function imagesOf(arg: string): Promise<NamedImage[]> {
  if (existsSync(arg)) return statSync(arg).isDirectory() ? imagesInFolder(arg) : [{ path: arg }];
  if (!isDynamicPattern(arg)) return [{ path: arg }]; // whoever reads it says that it is missing
  const paths = (await glob(arg, { expandDirectories: false, absolute: isAbsolute(arg) })).sort();
  return paths.length > 0 ? paths.map(toNamed) : [{ path: arg, error: `no file matches ${arg}` }];
}

/** Files of the usual names in a folder and those below; hidden ones are passed over. */
async function imagesInFolder(folder: string): Promise<NamedImage[]> {
  const extensions = IMAGE_EXTENSIONS.map((extension) => extension.slice(1)).join();
  const paths = await glob(`**/*.{${extensions}}`, { cwd: folder, caseSensitiveMatch: false });
  if (paths.length === 0) return [{ path: folder, error: `there are no image files in ${folder}` }];
  return paths.sort().map((path) => toNamed(join(folder, path)));
}

function toNamed(path: string): NamedImage {
  return { path };
}

async function* toAsync<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
