// Classifying images of 28×28 with an exported model, batches of 64: images/s of featmatch/infer against ONNX Runtime
// alone on the same file.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureSides, pathOf, printSides } from './sides.mjs';

export function measure({ rounds, threads }) {
  const model = exportedModel();
  const side = (name) => [process.execPath, pathOf('inference-side.mjs'), name, model, String(threads)];
  const sides = { 'featmatch/infer': side('featmatch'), 'ONNX Runtime alone': side('runtime') };
  return measureSides(sides, { rounds });
}

/** FEATMATCH_MODEL, or one of a step's training; how well it classifies does not matter here. */
export function exportedModel() {
  const folder = process.env.FEATMATCH_MODEL ?? join(tmpdir(), 'featmatch-bench-model');
  if (existsSync(folder)) return folder;
  const run = `${folder}-run-${process.pid}`;
  const featmatch = (...args) => {
    const { status, stderr } = spawnSync(process.execPath, [pathOf('../dist/cli/main.js'), ...args], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
  };
  featmatch('train', '--preset', 'mnist', '--steps', '1', '--set', 'predictUnlabeled=false', '--output', run);
  featmatch('export', run, '--output', folder);
  return folder;
}

export function print({ imagesPerSecond, imagesPerProcessorSecond }) {
  printSides(imagesPerSecond, 'images/s');
  printSides(imagesPerProcessorSecond, 'images by second of processor time'); // on a busy machine; with --threads 1
}
