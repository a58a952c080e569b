/** Many trainings from one file. */
import { basename, extname, join } from 'node:path';
import type { Command } from 'commander';
import type { SweepRun } from '../config/index.js';
import { InputError } from '../errors.js';
import { parseSeeds } from './arguments.js';
import {
  addTrainingsOptions,
  finishedFolders,
  requireFinished,
  runTrainings,
  type TrainingsOptions,
} from './trainings.js';

interface SweepOptions extends TrainingsOptions {
  output?: string;
  seeds?: number[];
  only?: string[];
  json?: true;
}

export function define(command: Command): void {
  command
    .argument('<file>', 'what to train, as JSON: seeds, settings, and what to vary (docs/sweeps.md)')
    .option('--output <folder>', 'folder of the runs (default: runs/ and the name of the file)');
  addTrainingsOptions(command)
    .option('--seeds <list>', 'these seeds alone, for example 0,1', parseSeeds)
    .option('--only <variants...>', 'these variants alone')
    .option('--json', 'print the table as JSON')
    .action(sweep);
}

async function sweep(file: string, options: SweepOptions): Promise<void> {
  const { json, output = join('runs', basename(file, extname(file))) } = options;
  const [{ readSweep }, { report }] = await Promise.all([
    import('../config/index.js'),
    import('./report.js'),
  ]);
  const runs = choose(readSweep(file), options, file);
  await runTrainings(runs, output, options);
  const finished = await finishedFolders(runs, output);
  if (finished.length > 0) await report(finished, { json });
  await requireFinished(runs, output);
}

function choose(runs: readonly SweepRun[], { seeds, only }: SweepOptions, file: string): SweepRun[] {
  const unknown = only?.find((variant) => !runs.some(({ variants }) => variants.includes(variant)));
  if (unknown !== undefined) {
    const known = [...new Set(runs.flatMap(({ variants }) => variants))];
    throw new InputError(`${file} has no variant '${unknown}'; there are ${known.join(', ')}`);
  }
  const chosen = runs.filter(
    ({ seed, variants }) =>
      (seeds?.includes(seed) ?? true) &&
      (only === undefined || variants.some((variant) => only.includes(variant))),
  );
  if (chosen.length === 0)
    throw new InputError(`${file} has no training with the seeds ${seeds?.join(', ')}`);
  return chosen;
}
