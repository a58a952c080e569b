/** Where the files of a named data set are. */

import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import type { CatalogEntry } from './catalog/entry.js';
import { catalog } from './catalog/index.js';
import { type DatasetName, datasetNames } from './catalog/names.js';
import { checkOneDomain, chooseDomains, type DomainChoice } from './readers/domains.js';
import { type Layout, readerOf } from './readers/index.js';

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

/** How the files of a data set are laid out, those of the chosen domains. @throws InputError if it has no such domains */
export function layoutOf(name: string, choice: DomainChoice = {}): Layout {
  const { layout } = catalogEntry(name);
  if (layout.format === 'domains') return chooseDomains(layout, choice);
  checkOneDomain(`images of ${name}`, choice);
  return layout;
}

export interface LocateOptions extends DomainChoice {
  readonly folder?: string;
}

/**
 * The folder that holds the files of a data set: `folder` if given; else the cache folder, or one where other packages
 * install them.
 *
 * @throws InputError if they are not there; it says where they were looked for and how to get them.
 */
export function locateDataset(name: string, options: LocateOptions = {}): string {
  const candidates = foldersOf(name, options);
  const found = candidates.find(({ missing }) => missing === null);
  if (found !== undefined) return found.folder;
  const places = candidates.map((candidate) => join(candidate.folder, candidate.missing ?? ''));
  throw new InputError(
    `data set ${name} not found (looked for ${places.join(' and ')}): get it by ${howToGet(name)}`,
  );
}

/** Where {@link locateDataset} finds a data set, or null if it does not. */
export function findDataset(name: string): string | null {
  return foldersOf(name).find(({ missing }) => missing === null)?.folder ?? null;
}

/** The folders to look in, each with a file that it lacks. */
function foldersOf(name: string, { folder, ...choice }: LocateOptions = {}) {
  const layout = layoutOf(name, choice);
  const folders =
    folder !== undefined ? [folder] : [cacheFolder(name), ...installedFolders(catalogEntry(name))];
  return folders.map((folder) => ({ folder, missing: readerOf(layout).missing(folder, layout) }));
}

/** What puts a data set where it is found: what follows "get it by". */
export function howToGet(name: string): string {
  const { download, installed, obtain } = catalogEntry(name);
  const ways = [
    ...(download ? [`"featmatch data fetch ${name}"`] : []),
    ...(installed ? [`"${installed.command}"`] : []),
    ...(obtain ? [obtain] : []),
  ];
  return ways.join(' or ');
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
