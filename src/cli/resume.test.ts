// The compiled command line, interrupted as its users do it: `npm test` compiles it before.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyMnist } from '../../test/support/tiny-mnist.js';
import { listCheckpoints, readRun, readRunMetrics, withoutTimes } from '../runs/index.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'featmatch-resume-'));
beforeAll(() => writeTinyMnist(join(folder, 'data')));
afterAll(() => rmSync(folder, { recursive: true }));

const SETTINGS = [
  'data.folder=data',
  'batch.labeled=4',
  'batch.unlabeled=4',
  'threads=1',
  'logEvery=1',
  'model.width=1',
];
const TRAIN = ['train', '--labels', '20', '--steps', '30', ...SETTINGS.flatMap((set) => ['--set', set])];

function featmatch(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** Starts the command line, and waits until it trains. */
async function start(...args: string[]): Promise<{ child: ChildProcess; text: () => string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr?.on('data', (part) => {
    text += part;
  });
  while (!text.includes(' trains in ')) await once(child.stderr as Readable, 'data');
  return { child, text: () => text };
}

describe('a training that is interrupted', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s saves, says how to go on, and exits with %i', async (signal, code) => {
    const run = `by-${signal}`;
    const { child, text } = await start(...TRAIN, '--output', run);
    child.kill(signal);
    const [status] = await once(child, 'close');
    expect(status).toBe(code);
    const { record } = readRun(join(folder, run));
    expect(text()).toContain(`${signal}: `);
    expect(text()).toContain(
      `featmatch: interrupted after step ${record.step} of 30; all is saved, and "featmatch resume ${run}" goes on from there\n`,
    );
    expect(record.status).toBe('interrupted');
    expect(listCheckpoints(join(folder, run)).map(({ step }) => step)).toEqual([record.step]);
  });

  it('goes on with "featmatch resume", to the same end', async () => {
    const run = 'by-SIGINT'; // of the test above
    const { step } = readRun(join(folder, run)).record;
    const resumed = featmatch('resume', run, '--json');
    expect(resumed.stderr).toContain(`featmatch goes on in ${run} after step ${step}`);
    expect(resumed.status).toBe(0);
    expect(featmatch(...TRAIN, '--output', 'whole', '--profile').status).toBe(0);
    const metricsOf = (name: string) => withoutTimes(readRunMetrics(join(folder, name)));
    expect(metricsOf(run)).toEqual(metricsOf('whole'));
    expect(readFileSync(join(folder, run, 'predictions.csv'))).toEqual(
      readFileSync(join(folder, 'whole', 'predictions.csv')),
    );
    const { traceEvents } = JSON.parse(readFileSync(join(folder, 'whole', 'profile.json'), 'utf8'));
    const steps = traceEvents.filter(({ name }: { name: string }) => /^step \d+$/.test(name));
    expect([steps[0].name, steps.length]).toEqual(['step 11', 20]);
    expect(JSON.parse(resumed.stdout)).toMatchObject({ folder: run });
  });

  it('ends at once by a second signal, and goes on all the same', async () => {
    const { child } = await start(...TRAIN, '--output', 'twice');
    child.kill('SIGINT');
    child.kill('SIGTERM'); // two different ones, since two of a kind that wait are delivered as one
    const [status] = await once(child, 'close');
    expect([130, 143]).toContain(status);
    expect(readRun(join(folder, 'twice')).status).toBe('interrupted');
    expect(featmatch('resume', 'twice').status).toBe(0);
  });

  it('is refused by name where there is nothing to resume', () => {
    const finished = featmatch('resume', 'whole');
    expect(finished).toEqual({
      status: 2,
      stdout: '',
      stderr: 'featmatch: the run whole is finished: there is nothing to resume\n',
    });
    const none = featmatch('resume', 'none');
    expect(none).toMatchObject({ status: 2, stderr: expect.stringContaining('none is not a run') });
  });
});
