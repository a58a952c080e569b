/** Reading images with their progress shown, shared by the commands that need them. */
import type { DatasetParts } from '../data/dataset.js';
import { type DataSource, loadData as load } from '../data/load.js';
import { createProgress, type Progress } from './progress.js';

/**
 * Reads the data of a configuration; on stderr a bar while images are decoded, and each file that is left out.
 * @param options.isQuiet nothing of that
 */
export async function loadData(source: DataSource, { isQuiet = false } = {}): Promise<DatasetParts> {
  if (isQuiet) return load(source);
  const data = await decodingProgress((onProgress) => load(source, { onProgress }));
  for (const { path, reason } of data.leftOut ?? []) process.stderr.write(`left out: ${path}: ${reason}\n`);
  return data;
}

/** Runs what may have to decode images, with a bar while it does. */
export async function decodingProgress<T>(
  run: (onProgress: (done: number, total: number) => void) => Promise<T>,
): Promise<T> {
  let bar: Progress | undefined;
  try {
    return await run((done, total) => {
      bar ??= createProgress({ label: 'decoding images', total });
      bar.update(done);
    });
  } finally {
    bar?.stop();
  }
}
