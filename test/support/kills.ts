/**
 * Trainings that are killed (SIGKILL) at random moments, each time resumed, until one is through: the compiled command
 * line on tiny images, with a network so small that starting takes longer than training.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Random } from '../../src/image/random.js';
import { readRun, runPaths } from '../../src/runs/index.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const SETTINGS = [
  'data.folder=data',
  'data.validation=20',
  'data.labels=20',
  'evaluation.protocol=best-on-validation',
  'evaluation.every=7',
  'algorithm.extractEvery=5',
  'algorithm.warmupSteps=3',
  'model.width=1',
  'model.strides=[2,2,2]',
  'batch.labeled=4',
  'batch.unlabeled=4',
  'saveEvery=3',
  'logEvery=2',
  'threads=1',
];

/** What a kill waits for: some time of training, some time of starting, or that a checkpoint is being written. */
const MOMENTS = ['training', 'training', 'starting', 'writing'] as const;

export interface KillOptions {
  /** holds `data`, MNIST's files; runs go there */
  readonly folder: string;
  readonly kills: number;
  /** of each training */
  readonly steps: number;
  readonly random: Random;
}

export interface KillReport {
  /** trainings that came to their end between the kills or after them */
  readonly trainings: string[];
  readonly kills: Record<(typeof MOMENTS)[number], number>;
  /** files that were being written when the kill came */
  readonly halfWritten: number;
}

/** The arguments of a training into the folder `run`. */
export function trainArguments(steps: number, run: string, ...sets: string[]): string[] {
  const settings = [...SETTINGS, ...sets].flatMap((set) => ['--set', set]);
  return ['train', ...settings, '--steps', String(steps), '--output', run];
}

/** Runs the command line to its end. */
export function featmatch(folder: string, args: readonly string[]) {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8' });
  return { status, stderr };
}

/** Kills trainings, one after the other, as often as wanted. The last one is let go to its end. */
export async function killTrainings(options: KillOptions): Promise<KillReport> {
  const { folder, steps, random } = options;
  const trainings: string[] = [];
  const kills = { training: 0, starting: 0, writing: 0 };
  const halfWritten = new Set<string>();
  let left = options.kills;
  for (let number = 1; left > 0; number++) {
    const run = `killed-${number}`;
    for (let isThrough = false; !isThrough; ) {
      const args = existsSync(join(folder, run)) ? ['resume', run] : trainArguments(steps, run);
      const child = spawn(process.execPath, [MAIN, ...args], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const end = endOf(child);
      const moment = MOMENTS[random.integer(MOMENTS.length)];
      if (left > 0) {
        await Promise.race([end, momentOf(moment, child, { run: join(folder, run), random })]);
        child.kill('SIGKILL');
      }
      const { status, stderr } = await end;
      if (status !== null && status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
      // A kill may come when all is written and the process has only to end.
      isThrough = status === 0 || isFinished(join(folder, run));
      if (status === 0) continue;
      left--;
      kills[moment]++;
      for (const file of temporaryFiles(join(folder, run))) halfWritten.add(file);
    }
    trainings.push(run);
  }
  return { trainings, kills, halfWritten: halfWritten.size };
}

function isFinished(run: string): boolean {
  return existsSync(run) && readRun(run).status === 'finished';
}

/** How it ended: with a status, or killed without one. */
async function endOf(child: ChildProcess): Promise<{ status: number | null; stderr: string }> {
  let stderr = '';
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  const [status] = await once(child, 'close');
  return { status, stderr };
}

async function momentOf(
  moment: (typeof MOMENTS)[number],
  child: ChildProcess,
  { run, random }: { run: string; random: Random },
): Promise<void> {
  if (moment === 'starting') return sleep(1500 * random.uniform());
  await once(child.stderr as NodeJS.ReadableStream, 'data'); // "… trains in …"
  if (moment === 'training') return sleep(600 * random.uniform());
  await new Promise<void>((resolve) => {
    const watcher = watch(runPaths(run).checkpoints, (_, name) => {
      if (name?.endsWith('.tmp') !== true) return;
      watcher.close();
      resolve();
    });
    child.once('close', () => watcher.close());
  });
  await sleep(3 * random.uniform());
}

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

function temporaryFiles(run: string): string[] {
  return [run, runPaths(run).checkpoints]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.tmp')));
}
