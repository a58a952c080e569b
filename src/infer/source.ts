/** Where a model is read from. */
import { InputError } from '../errors.js';
import { FILES, type Manifest } from './manifest.js';

/** The contents of the two files of an export. */
export interface ModelFiles {
  /** the text of model.json */
  readonly manifest: string;
  /** the bytes of model.onnx */
  readonly graph: Uint8Array;
}

/** A folder as a path or URL, or the files themselves. */
export type ModelSource = string | URL | ModelFiles;

/**
 * Both files, and the folder to put before their names in errors.
 * @param options.base what a relative path or URL is relative to
 * @throws {InputError} where one cannot be read
 */
export async function readModelFiles(
  source: ModelSource,
  { base, read }: { base: URL; read(url: URL): Promise<Uint8Array> },
): Promise<ModelFiles & { folder: string }> {
  if (typeof source === 'object' && 'graph' in source) return { ...source, folder: '' };
  const folder = `${String(source).replace(/\/+$/, '')}/`;
  const readFile = async (name: string) => {
    try {
      return await read(new URL(folder + name, base));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new InputError(`${folder}${name} cannot be read (${reason}); "featmatch export" writes it`);
    }
  };
  const manifest = await readFile(FILES.manifest); // first: where nothing is there, it is always the same file that is missed
  const graph = await readFile(FILES.graph);
  return { manifest: new TextDecoder().decode(manifest), graph, folder };
}

/** @throws InputError where the hash is not that which the description tells */
export function checkGraph({ model }: Manifest, sha256: string, folder: string): void {
  if (sha256 === model.sha256) return;
  throw new InputError(
    `${folder}${FILES.graph} is damaged, or not the file that ${FILES.manifest} describes`,
  );
}

/** @throws Error with the reason in a few words */
export async function fetchBytes(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
