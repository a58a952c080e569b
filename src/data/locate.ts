/** Where the files of a named data set are. */

import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import type { CatalogEntry } from './catalog/entry.js';
import { catalog } from './catalog/index.js';
import { type DatasetName, datasetNames } from './catalog/names.js';
import { readerOf } from './readers/index.js';

/** @throws InputError if there is no data set of that name. */
export function catalogEntry(name: string): CatalogEntry {
  if (!datasetNames.includes(name as DatasetName)) {
    throw new InputError(`unknown data set "${name}"; there are ${datasetNames.join(', ')}`);
  }
  return catalog[name as DatasetName];
}

/** Where the project keeps data: `$FEATMATCH_DATA`, by default `~/.cache/featmatch`. */
export function cacheRoot(): string {
  return process.env.FEATMATCH_DATA ?? join(homedir(), '.cache', 'featmatch');
}

/** The project's own folder for a data set: in `$FEATMATCH_DATA`, by default `~/.cache/featmatch`. */
export function cacheFolder(name: string): string {
  const { folder = name } = catalogEntry(name);
  return join(cacheRoot(), folder);
}

/**
 * The folder that holds the files of a data set: `folder` if given; else the cache folder, or one where other packages
 * install them.
 *
 * @throws InputError if they are not there; it says where they were looked for and how to get them.
 */
export function locateDataset(name: string, folder?: string): string {
  const candidates = foldersOf(name, folder);
  const found = candidates.find(({ missing }) => missing === null);
  if (found !== undefined) return found.folder;
  const places = candidates.map((candidate) => join(candidate.folder, candidate.missing ?? ''));
  throw new InputError(
    `data set ${name} not found (looked for ${places.join(' and ')}): get it with ${howToGet(name)}`,
  );
}

/** Where {@link locateDataset} finds a data set, or null if it does not. */
export function findDataset(name: string): string | null {
  return foldersOf(name).find(({ missing }) => missing === null)?.folder ?? null;
}

/** The folders to look in, each with a file that it lacks. */
function foldersOf(name: string, folder?: string): { folder: string; missing: string | null }[] {
  const entry = catalogEntry(name);
  const folders = folder !== undefined ? [folder] : [cacheFolder(name), ...installedFolders(entry)];
  return folders.map((folder) => ({ folder, missing: readerOf(entry.layout).missing(folder, entry.layout) }));
}

/** The commands that put a data set where it is found. */
export function howToGet(name: string): string {
  const { installed } = catalogEntry(name);
  const commands = [`featmatch data fetch ${name}`, ...(installed ? [installed.command] : [])];
  return commands.map((command) => `"${command}"`).join(' or ');
}

function installedFolders({ installed }: CatalogEntry): string[] {
  if (installed === undefined) return [];
  if ('folder' in installed.place) return [installed.place.folder];
  try {
    const manifest = createRequire(import.meta.url).resolve(`${installed.place.npmPackage}/package.json`);
    return [join(dirname(manifest), 'data')];
  } catch {
    return []; // the package is not installed
  }
}
