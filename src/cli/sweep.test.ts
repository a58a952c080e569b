// The compiled command line: `npm test` compiles it before.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyMnist } from '../../test/support/tiny-mnist.js';
import { readRun } from '../runs/index.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'featmatch-sweep-'));
beforeAll(() => writeTinyMnist(join(folder, 'data')));
afterAll(() => rmSync(folder, { recursive: true }));

const SWEEP = {
  seeds: [0, 1],
  settings: {
    steps: 30,
    data: { folder: 'data', labels: 20 },
    batch: { labeled: 4, unlabeled: 4 },
    model: { width: 1, strides: [2, 2, 2] },
    predictUnlabeled: false,
  },
  vary: {
    rate: {
      small: { optimizer: { learningRate: 0.01 } },
      huge: { optimizer: { learningRate: 1e12 }, algorithm: { name: 'supervised' } },
    },
  },
};

/** Starts a sweep of a file with this content, and collects what it says. */
function start(content: unknown, ...args: string[]) {
  writeFileSync(join(folder, 'rates.json'), JSON.stringify(content));
  const child: ChildProcess = spawn(process.execPath, [MAIN, 'sweep', 'rates.json', ...args], {
    cwd: folder,
  });
  const text = { stdout: '', stderr: '' };
  child.stdout?.on('data', (part) => {
    text.stdout += part;
  });
  child.stderr?.on('data', (part) => {
    text.stderr += part;
  });
  const end = once(child, 'close').then(([status]) => ({ status, ...text }));
  return { child, text, end };
}

const statusOf = (run: string) => readRun(join(folder, 'runs', 'rates', run)).status;

describe('featmatch sweep', () => {
  it('saves what trains when it is interrupted, and begins nothing more', async () => {
    const { child, text, end } = start(SWEEP, '--only', 'small', '--parallel', '1');
    while (!text.stderr.includes(' trains in ')) await new Promise((resolve) => setTimeout(resolve, 20));
    child.kill('SIGINT');
    const { status, stderr } = await end;
    expect(status).toBe(130);
    expect(stderr).toMatch(
      /\nfeatmatch: interrupted; all is saved, and the same command goes on from there\n$/,
    );
    expect(statusOf('small-seed-0')).toBe('interrupted');
    expect(readdirSync(join(folder, 'runs', 'rates'))).toEqual(['small-seed-0']);
  });

  it('goes on with it, several at once, and ends with a table and what did not finish', async () => {
    const { status, stdout, stderr } = await start(SWEEP, '--parallel', '2').end;
    expect(stderr).toMatch(/^4 trainings in runs\/rates, of which 0 are finished\n/);
    expect(stderr).toMatch(/small-seed-0: featmatch goes on in runs\/rates\/small-seed-0 after step \d+\n/);
    expect(stderr).toMatch(/small-seed-1: featmatch trains in runs\/rates\/small-seed-1\n/);
    expect(stderr).toMatch(
      /featmatch: 2 of 4 trainings did not finish, and .*: runs\/rates\/huge-seed-0 \(training diverged at step .*runs\/rates\/huge-seed-1 \(/,
    );
    expect(status).toBe(2);
    expect(stdout).toMatch(/^algorithm .*\nfeatmatch +mnist +20 .* 0 1 +[\d.]+ ± [\d.]+ /);
    expect(stdout.trim().split('\n').length).toBe(2);
    expect(readRun(join(folder, 'runs', 'rates', 'small-seed-1')).record.machine.threads).toBe(1);
  });

  it('passes over what is finished', async () => {
    const { status, stdout, stderr } = await start(SWEEP, '--only', 'small', '--json').end;
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: '2 trainings in runs/rates, of which 2 are finished\n',
    });
    expect(JSON.parse(stdout).groups).toMatchObject([{ testAccuracy: { count: 2 } }]);
  });

  it('begins nothing where the folder has runs with other settings, or a part is asked for that is not there', async () => {
    const other = { ...SWEEP, settings: { ...SWEEP.settings, steps: 31 } };
    const changed = await start(other, '--only', 'small').end;
    expect(changed.status).toBe(2);
    expect(changed.stderr).toBe(
      'featmatch: the run runs/rates/small-seed-0 is of another configuration: steps: 31 here, 30 there; choose another --output\n',
    );
    const unknown = await start(SWEEP, '--only', 'tiny').end;
    expect(unknown.stderr).toBe("featmatch: rates.json has no variant 'tiny'; there are small, huge\n");
    const none = await start(SWEEP, '--seeds', '7').end;
    expect(none.stderr).toBe('featmatch: rates.json has no training with the seeds 7\n');
  });
});
