/** A short training on noisy images, whose losses tell whether several processes compute what one does. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { listCheckpoints, readRun, readRunMetrics } from '../../src/runs/index.js';
import { MAIN, type Started, start } from './processes.js';
import { writeNoisyMnist } from './tiny-mnist.js';

const STEPS = 60;

/** A small network on the images of `writeNoisyMnist` in the folder `data`, saved and logged often. */
export const SMALL_SETTINGS = [
  'data.folder=data',
  'data.labels=20',
  'model.width=1',
  'model.strides=[2,2,2]',
  'batch.labeled=12',
  'batch.unlabeled=24',
  'saveEvery=10',
  'logEvery=1',
  'threads=1',
];
const SETTINGS = [
  ...SMALL_SETTINGS,
  'algorithm.warmupSteps=5',
  'algorithm.extractEvery=10',
  'optimizer.learningRate=1e-5',
  'distributed.batchNorm=synchronized',
];

/** Those that a run has logged. */
export const lossesOf = (run: string) =>
  readRunMetrics(run).flatMap(({ loss }) => (typeof loss === 'number' ? [loss] : []));

export const greatestDifference = (some: readonly number[], others: readonly number[]) =>
  Math.max(...some.map((value, i) => Math.abs(value - others[i])));

/** Runs are named by their folders below one that has the data. */
export interface ShortTraining {
  /** Runs a command in that folder. */
  run(command: readonly string[], env?: Record<string, string>): Started;
  checkpointsOf(name: string): number;
  /** @throws where a run has not finished, or with other losses than that of one process */
  expectSameAsOne(name: string): void;
}

/** The arguments of featmatch. @param timeout seconds that a process may keep the others waiting */
export const trainArguments = (name: string, timeout: number) => [
  ...['train', '--output', name, '--steps', String(STEPS)],
  ...[...SETTINGS, `distributed.timeout=${timeout}`].flatMap((set) => ['--set', set]),
];

/** Writes the data, and trains in one process. */
export async function shortTraining(folder: string): Promise<ShortTraining> {
  const run = (command: readonly string[], env: Record<string, string> = {}) =>
    start(command, { cwd: folder, env });

  writeNoisyMnist(join(folder, 'data'));
  const { status, stderr } = await run([process.execPath, MAIN, ...trainArguments('whole', 60)]).end;
  expect(status, stderr).toBe(0);
  const whole = lossesOf(join(folder, 'whole'));
  return {
    run,
    checkpointsOf: (name) => listCheckpoints(join(folder, name)).length,
    expectSameAsOne(name) {
      expect(readRun(join(folder, name)).status).toBe('finished');
      const losses = lossesOf(join(folder, name));
      expect(losses).toHaveLength(STEPS);
      expect(greatestDifference(losses, whole)).toBeLessThan(1e-4);
    },
  };
}
