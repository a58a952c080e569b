/**
 * A run on Fashion-MNIST of 100 steps, with prototypes, and its export. FEATMATCH_RUN and
 * FEATMATCH_MODEL name ones that are there already.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Folders; what is missing is made below `folder`, in a few minutes. */
export function trainedModel(folder: string): { run: string; model: string } {
  const run = process.env.FEATMATCH_RUN ?? join(folder, 'run');
  const model = process.env.FEATMATCH_MODEL ?? join(folder, 'model');
  const settings = [
    'predictUnlabeled=false',
    'algorithm.warmupSteps=50',
    'algorithm.extractEvery=50',
  ].flatMap((setting) => ['--set', setting]);
  if (!existsSync(run)) {
    featmatch('train', '--preset', 'fashion-mnist', '--steps', '100', ...settings, '--output', run);
  }
  if (!existsSync(model)) featmatch('export', run, '--output', model);
  return { run, model };
}

function featmatch(...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}
