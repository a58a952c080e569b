/** Run folders as training leaves them, without training. */
import { join } from 'node:path';
import { type PartialConfig, resolveConfig } from '../../src/config/index.js';
import { createRun, type RunResults, readRun, type StoredRun } from '../../src/runs/index.js';

export interface StoredRunOptions {
  readonly preset?: string;
  readonly values?: PartialConfig;
  /** null: it has not ended */
  readonly results: RunResults | null;
}

const NO_IMAGES = {
  labeled: [],
  labeledHash: '',
  validation: [],
  validationHash: '',
  unlabeledImages: 0,
  unlabeledHash: '',
  testImages: 0,
  testHash: '',
  leftOut: [],
};

/** A run in the new folder `root`/`name`. */
export function storeRun(
  root: string,
  name: string,
  { preset, values, results }: StoredRunOptions,
): StoredRun {
  const folder = join(root, name);
  const config = resolveConfig({ preset, values });
  const split = { ...NO_IMAGES, dataset: config.data.name };
  const run = createRun({ config, split, engine: { version: '1', threads: 1 }, folder });
  if (results !== null) run.finish(results);
  return readRun(folder);
}
