/** Many trainings, each in a process of its own, so that several can share the processors. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { SweepRun } from '../config/index.js';
import { InputError, InterruptedError } from '../errors.js';
import type { RunStatus } from '../runs/index.js';
import { parseCount } from './arguments.js';
import { untilSignal } from './interruption.js';

export interface TrainingsOptions {
  readonly parallel: number;
  readonly threads?: number;
}

/** Adds the options that say how trainings share the processors. */
export function addTrainingsOptions(command: Command): Command {
  return command
    .option('--parallel <count>', 'trainings at once, which share the processors', parseCount, 1)
    .option(
      '--threads <count>',
      'threads of each training (default: its share of the processors)',
      parseCount,
    );
}

/** A training that is not finished yet. */
interface Pending {
  readonly folder: string;
  /** of the command line */
  readonly args: readonly string[];
}

/**
 * Trains what is not finished yet, each run in the folder of its name in `output`.
 * @throws {InputError} before any training, where a folder holds a run with other settings
 * @throws {InterruptedError} by SIGINT or SIGTERM, when all that train have saved
 */
export async function runTrainings(
  runs: readonly SweepRun[],
  output: string,
  { parallel, threads = Math.max(1, Math.floor(availableParallelism() / parallel)) }: TrainingsOptions,
): Promise<void> {
  const configs = mkdtempSync(join(tmpdir(), 'featmatch-sweep-'));
  try {
    const pending: Pending[] = [];
    for (const run of runs) {
      const folder = join(output, run.name);
      const args = await argumentsOf(run, folder, { configs, threads });
      if (args !== null) pending.push({ folder, args });
    }
    process.stderr.write(
      `${runs.length} trainings in ${output}, of which ${runs.length - pending.length} are finished\n`,
    );
    await trainAll(pending, parallel);
  } finally {
    rmSync(configs, { recursive: true });
  }
}

/** The folders of the runs that are finished. @throws {InputError} where one holds a run with other settings */
export async function finishedFolders(runs: readonly SweepRun[], output: string): Promise<string[]> {
  const folders: string[] = [];
  for (const run of runs) {
    const folder = join(output, run.name);
    if ((await statusIn(folder, run)) === 'finished') folders.push(folder);
  }
  return folders;
}

/** How far the run in a folder is; null where there is none. @throws {InputError} where it has other settings */
async function statusIn(folder: string, { config }: SweepRun): Promise<RunStatus | null> {
  if (!existsSync(folder)) return null;
  const [{ describeDifferences, resolveConfig }, { readRun }, { runPaths }] = await Promise.all([
    import('../config/index.js'),
    import('../runs/stored-run.js'),
    import('../runs/run-folder.js'),
  ]);
  const { status } = readRun(folder);
  const stored = resolveConfig({ file: runPaths(folder).config });
  // Threads are shared out as it happens to be, and a run that goes on keeps its own.
  const differences = describeDifferences({ ...config, threads: stored.threads }, stored);
  if (differences.length > 0) {
    throw new InputError(
      `the run ${folder} is of another configuration: ${differences.join('; ')}; choose another --output`,
    );
  }
  return status;
}

/** @throws {InputError} where some of the runs are not finished; it names them and says why */
export async function requireFinished(runs: readonly SweepRun[], output: string): Promise<void> {
  const { readRun } = await import('../runs/stored-run.js');
  const finished = await finishedFolders(runs, output);
  const others = runs.map(({ name }) => join(output, name)).filter((folder) => !finished.includes(folder));
  if (others.length === 0) return;
  const reasons = others.map((folder) => {
    const error = existsSync(folder) ? readRun(folder).record.error : 'it could not begin';
    return error === null ? folder : `${folder} (${error})`;
  });
  throw new InputError(
    `${others.length} of ${runs.length} trainings did not finish, and the same command goes on with them: ${reasons.join('; ')}`,
  );
}

/** What begins a training or goes on with it; null where it is finished. */
async function argumentsOf(
  run: SweepRun,
  folder: string,
  { configs, threads }: { configs: string; threads: number },
): Promise<string[] | null> {
  const status = await statusIn(folder, run);
  if (status !== null) return status === 'finished' ? null : ['resume', folder];
  const path = join(configs, `${run.name}.json`);
  writeFileSync(path, JSON.stringify({ ...run.config, threads: run.config.threads ?? threads }));
  return ['train', '--config', path, '--output', folder];
}

/** @throws {InterruptedError} by SIGINT or SIGTERM, when all that train have saved */
async function trainAll(pending: readonly Pending[], parallel: number): Promise<void> {
  const queue = [...pending];
  const interruption = untilSignal((signal) => {
    process.stderr.write(`${signal}: what trains is saved; once more ends at once\n`);
  });
  const { signal } = interruption;
  const work = async () => {
    for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
      await trainOne(next, { signal, isAlone: parallel === 1 });
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  interruption.end();
  if (signal.aborted) {
    throw new InterruptedError('interrupted; all is saved, and the same command goes on from there', {
      cause: signal.reason,
    });
  }
}

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Resolves when the process has ended, however it did. */
function trainOne(
  { folder, args }: Pending,
  { signal, isAlone }: { signal: AbortSignal; isAlone: boolean },
): Promise<void> {
  // In a group of its own: a terminal sends Ctrl-C to the whole group, and two of them would be one too many.
  const child = spawn(process.execPath, [MAIN, ...args], {
    detached: true,
    stdio: ['ignore', 'ignore', isAlone ? 'inherit' : 'pipe'],
  });
  const stop = () => child.kill(signal.reason);
  signal.addEventListener('abort', stop);
  if (child.stderr !== null) {
    createInterface(child.stderr).on('line', (line) =>
      process.stderr.write(`${basename(folder)}: ${line}\n`),
    );
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
  });
}
