/** Downloads the files of a named data set from their publisher. */

import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../errors.js';
import type { CatalogFile } from './catalog/entry.js';
import { cacheFolder, catalogEntry, howToGet, layoutOf } from './locate.js';
import { chooseDomains } from './readers/domains.js';
import { unzip } from './unzip.js';

export interface FetchProgress {
  /** Name of the file under way. */
  readonly file: string;
  /** Whether it is downloaded or, afterwards, unpacked. */
  readonly stage: 'download' | 'unpack';
  /** Bytes of it on disk so far and in all, or files unpacked. */
  readonly received: number;
  readonly total: number;
}

export interface FetchOptions {
  /** Where to put the files; default: the cache folder, where `loadDataset` looks first. */
  readonly folder?: string;
  /** Called after every piece received. */
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Another server with the same files; a URL that ends with a slash. */
  readonly baseUrl?: string;
  /** Of a data set of several domains, only these; default: those that are usually trained on. */
  readonly domains?: readonly string[];
  /** Gives up when no byte has come for so long. Default 30. */
  readonly stallSeconds?: number;
}

/**
 * Downloads the files of a data set that are not there yet, checks their SHA-256, unpacks zip archives, and returns
 * their folder. What was received before an interruption is kept in `<file>.part` and continued from; a file gets its
 * name only when complete and verified.
 *
 * @throws InputError if there is no such data set, it is not published as files, the server cannot be reached, refuses, goes silent or cuts the
 *   connection, if a file is not the published one, or the folder cannot be written.
 */
export async function fetchDataset(name: string, options: FetchOptions = {}): Promise<string> {
  const { download: published } = catalogEntry(name);
  if (published === undefined)
    throw new InputError(`${name} cannot be downloaded: get it by ${howToGet(name)}`);
  const { folder = cacheFolder(name), baseUrl = published.baseUrl, onProgress } = options;
  const domains = domainsToFetch(name, options.domains);
  await writing(folder, () => mkdir(folder, { recursive: true }));
  for (const file of published.files) {
    if (file.domain !== undefined && !domains.includes(file.domain)) continue;
    const path = join(folder, basename(file.name));
    const { unpacksTo } = file;
    if (unpacksTo !== undefined && existsSync(join(folder, unpacksTo))) continue;
    if (!(await isComplete(path, file))) {
      await download({ url: new URL(file.name, baseUrl).href, path, file }, options);
    }
    if (unpacksTo === undefined) continue;
    await unzip(path, {
      part: unpacksTo,
      into: folder,
      onFile: ({ files, total }) =>
        onProgress?.({ file: file.name, stage: 'unpack', received: files, total }),
    });
    await rm(path);
  }
  return folder;
}

/** @throws InputError if the data set has not these domains */
function domainsToFetch(name: string, asked?: readonly string[]): readonly string[] {
  const layout = layoutOf(name);
  if (layout.format !== 'domains') {
    if (asked !== undefined)
      throw new InputError(`${name} has one domain only: fetch it without naming domains`);
    return [];
  }
  if (asked === undefined) return [layout.target, ...layout.sources];
  const [target, ...sources] = asked;
  chooseDomains(layout, { target, sources }); // which checks them
  return asked;
}

interface Download {
  readonly url: string;
  readonly path: string;
  readonly file: CatalogFile;
}

async function download(job: Download, options: FetchOptions): Promise<void> {
  const { url, path, file } = job;
  const part = `${path}.part`;
  for (;;) {
    const resumed = await sizeOf(part);
    if (resumed < file.bytes) await receive(job, resumed, options);
    if (await isComplete(part, file)) {
      await writing(path, () => rename(part, path));
      return;
    }
    await rm(part, { force: true });
    if (resumed > 0) continue; // the beginning may have been damaged, or of another version: once more from the start
    throw new InputError(
      `${url}: not the published file (its SHA-256 is not ${file.sha256}); try another time or mirror`,
    );
  }
}

/** Appends to the `.part` file what it lacks, or starts it anew if the server cannot continue. */
async function receive(
  { url, path, file }: Download,
  resumeAt: number,
  options: FetchOptions,
): Promise<void> {
  const { stallSeconds = 30, onProgress } = options;
  const abort = new AbortController();
  let stallTimer = setTimeout(() => abort.abort(), stallSeconds * 1000);
  const notStalled = () => {
    clearTimeout(stallTimer);
    stallTimer = setTimeout(() => abort.abort(), stallSeconds * 1000);
  };
  let received = resumeAt;
  let output: FileHandle | undefined;
  try {
    const response = await request(url, resumeAt, abort.signal);
    if (response.status !== 206) received = 0;
    output = await writing(path, () => open(`${path}.part`, received > 0 ? 'a' : 'w'));
    for await (const chunk of response.body ?? []) {
      notStalled();
      received += chunk.length;
      if (received > file.bytes) break; // not this file: its hash will tell
      await writing(path, () => (output as FileHandle).write(chunk));
      onProgress?.({ file: file.name, stage: 'download', received, total: file.bytes });
    }
    await output.sync();
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = abort.signal.aborted ? `no answer for ${stallSeconds} s` : reasonOf(error);
    throw incomplete(url, `${reason}, at byte ${received} of ${file.bytes}`);
  } finally {
    clearTimeout(stallTimer);
    abort.abort();
    await output?.close();
  }
  if (received < file.bytes)
    throw incomplete(url, `the connection ended at byte ${received} of ${file.bytes}`);
}

/** A response with the file's bytes from `resumeAt` on (status 206), or with all of them (200). */
async function request(url: string, resumeAt: number, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (resumeAt > 0) headers.range = `bytes=${resumeAt}-`;
  const response = await fetch(url, { headers, signal });
  if (response.status === 200) return response;
  const continues = response.headers.get('content-range')?.startsWith(`bytes ${resumeAt}-`);
  if (response.status === 206 && continues) return response;
  if (resumeAt > 0 && (response.status === 206 || response.status === 416)) return request(url, 0, signal);
  throw new InputError(`${url}: the server answered ${response.status} ${response.statusText}`.trimEnd());
}

function incomplete(url: string, reason: string): InputError {
  return new InputError(`${url}: could not be downloaded (${reason}); run the command again to continue`);
}

/** The system's error code, which `fetch` hides in the cause. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
  return cause?.code ?? cause?.message ?? message;
}

/** Runs a file operation; what fails there is the user's disk or permissions. */
async function writing<T>(path: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw new InputError(
      `${path}: cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
    );
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function isComplete(path: string, { bytes, sha256 }: CatalogFile): Promise<boolean> {
  if ((await sizeOf(path)) !== bytes) return false;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex') === sha256;
}
