/** Reading the data of a configuration with its progress shown, shared by the commands that need them. */
import type { DatasetPair } from '../data/dataset.js';
import { type DataSource, loadData as load } from '../data/load.js';
import { createProgress, type Progress } from './progress.js';

/** Reads the data; on stderr a bar while images are decoded for the first time, and each file that is left out. */
export async function loadData(source: DataSource): Promise<DatasetPair> {
  let bar: Progress | undefined;
  try {
    const data = await load(source, {
      onProgress(done, total) {
        bar ??= createProgress({ label: 'decoding images', total });
        bar.update(done);
      },
    });
    bar?.stop();
    for (const { path, reason } of data.leftOut ?? []) process.stderr.write(`left out: ${path}: ${reason}\n`);
    return data;
  } finally {
    bar?.stop();
  }
}
