/** Unpacks a zip archive of any size. */

import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise, type ZipFile } from 'yauzl';
import { InputError } from '../errors.js';

export interface UnzipOptions {
  /** The folder in the archive to unpack; what lies outside it is left out. */
  readonly part: string;
  /** Where to put it; it gets its name there only when it is complete. */
  readonly into: string;
  /** Called after every file. */
  readonly onFile?: (progress: { readonly files: number; readonly total: number }) => void;
}

/** @throws InputError if the archive is damaged or has no such folder, or the files cannot be written */
export async function unzip(archive: string, { part, into, onFile }: UnzipOptions): Promise<void> {
  const unfinished = join(into, `${part}.part`);
  try {
    await rm(unfinished, { recursive: true, force: true });
    const zip = await openPromise(archive); // which refuses names that lead out of the folder
    let files = 0;
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.startsWith(`${part}/`) && !entry.fileName.endsWith('/')) {
        await writeFile(zip, entry, join(unfinished, entry.fileName.slice(part.length + 1)));
      }
      onFile?.({ files: ++files, total: zip.entryCount });
    }
    await rename(unfinished, join(into, part));
  } catch (error) {
    throw new InputError(
      `${archive}: cannot be unpacked (${(error as Error).message}); make room or get it again`,
    );
  }
}

async function writeFile(
  zip: ZipFile,
  entry: Parameters<ZipFile['openReadStream']>[0],
  path: string,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path));
}
