// npm run soak:disk: disks that fill up and folders that cannot be written to. Mounts small file systems, so it needs
// Linux and root.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listCheckpoints, readCheckpointFile, readRun, readRunMetrics } from '../../src/runs/index.js';
import { featmatch, trainArguments } from '../support/kills.js';
import { remainsOf } from '../support/remains.js';
import { writeTinyMnist } from '../support/tiny-mnist.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-disk-'));
const disk = join(folder, 'disk');
const mount = (...options: string[]) => execFileSync('mount', ['-t', 'tmpfs', ...options, 'tmpfs', disk]);
const remount = (options: string) => execFileSync('mount', ['-o', `remount,${options}`, disk]);

const STEPS = 30;
beforeAll(() => {
  writeTinyMnist(join(folder, 'data'));
  mkdirSync(disk);
  expect(featmatch(folder, trainArguments(STEPS, 'whole', 'keepCheckpoints=null')).status).toBe(0);
});
beforeEach(() => mount('-o', 'size=64m'));
afterEach(() => execFileSync('umount', [disk]));
afterAll(() => rmSync(folder, { recursive: true }));

/** Expects that a command ended with one sentence. */
function expectSentence(
  { status, stderr }: { status: number | null; stderr: string },
  sentence: RegExp,
): void {
  expect(stderr).toMatch(sentence);
  expect(stderr.split('\n').filter((line) => line.startsWith('featmatch: '))).toHaveLength(1);
  expect(stderr).not.toMatch(/\n {4}at /); // no stack
  expect(status).toBe(2);
}

describe('a disk that is full', () => {
  it.each([20, 100, 700, 1500, 3000])(
    'ends training in one sentence and leaves what was saved, which goes on when there is room: %i kB short',
    (kilobytes) => {
      const needed = Number(
        execFileSync('du', ['-sk', join(folder, 'whole')], { encoding: 'utf8' }).split('\t')[0],
      );
      remount(`size=${needed - kilobytes}k`);
      const training = featmatch(folder, trainArguments(STEPS, 'disk/run', 'keepCheckpoints=null'));
      expectSentence(
        training,
        /^featmatch: cannot write .*: the disk is full; free some space or choose another folder$/m,
      );
      const run = join(disk, 'run');
      expect(readdirSync(run).filter((name) => name.startsWith('.'))).toEqual([]);
      const saved = listCheckpoints(run);
      expect(saved.length).toBeGreaterThan(0);
      for (const { path } of saved) readCheckpointFile(path);
      readRunMetrics(run);
      expect(['failed', 'interrupted']).toContain(readRun(run).status);
      expectSentence(featmatch(folder, ['resume', 'disk/run']), /the disk is full/);
      remount('size=64m');
      expect(featmatch(folder, ['resume', 'disk/run']).status).toBe(0);
      expect(remainsOf(run)).toEqual(remainsOf(join(folder, 'whole')));
    },
  );

  it('has no room for a run at all, and none begins', () => {
    remount('size=8k');
    expectSentence(featmatch(folder, trainArguments(STEPS, 'disk/run')), /cannot write .*: the disk is full/);
    expect(readdirSync(disk)).toEqual([]);
  });
});

describe('a folder that cannot be written to', () => {
  it('begins no run and goes on with none, in one sentence each; what is in it can be used', () => {
    const args = trainArguments(STEPS, 'disk/run');
    expect(featmatch(folder, args).status).toBe(0);
    const { record } = readRun(join(disk, 'run'));
    writeFileSync(join(disk, 'run', 'run.json'), JSON.stringify({ ...record, status: 'interrupted' }));
    const before = remainsOf(join(disk, 'run'));
    remount('ro');
    expectSentence(
      featmatch(folder, trainArguments(STEPS, 'disk/other')),
      /cannot write disk\/other: the file system is read-only/,
    );
    expectSentence(
      featmatch(folder, ['resume', 'disk/run']),
      /cannot write disk\/run\/lock\.json: the file system is read-only/,
    );
    expect(remainsOf(join(disk, 'run'))).toEqual(before);
    expect(featmatch(folder, ['evaluate', '--run', 'disk/run']).status).toBe(0);
    remount('rw');
  });
});
