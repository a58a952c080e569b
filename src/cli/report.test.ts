// The compiled command line as its users start it: `npm test` compiles it before.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { storeRun } from '../../test/support/stored-runs.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'featmatch-report-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

function report(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'report', ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

[0.92, 0.94].forEach((testAccuracy, seed) => {
  const results = { testAccuracy, validationAccuracy: null, trainingSeconds: 90, trainingCpuSeconds: 170 };
  storeRun(join(folder, 'runs'), `cifar-${seed}`, {
    preset: 'reference-cifar10-250',
    values: { seed },
    results,
  });
});
storeRun(join(folder, 'runs'), 'broken-off', { results: null });
storeRun(folder, 'alone', {
  values: { data: { validation: 50 } },
  results: { testAccuracy: null, validationAccuracy: 0.5, trainingSeconds: 5, trainingCpuSeconds: 9 },
});

describe('featmatch report', () => {
  it('says mean and deviation over the seeds beside the published errors, aligned', () => {
    const { status, stdout, stderr } = report();
    expect(status).toBe(0);
    const [head, row, ...rest] = stdout.trimEnd().split('\n');
    expect(head.split(/ {2,}/)).toEqual([
      ...['algorithm', 'data', 'labels', 'protocol', 'seeds', 'test accuracy %', 'test error %'],
      ...['paper: error %', 'its code: error %', 'training a seed', 'commit'],
    ]);
    expect(row.split(/ {2,}/).slice(0, 10)).toEqual([
      ...['featmatch-reference', 'cifar-10', '250', 'median', '0 1', '93.00 ± 1.41', '7.00 ± 1.41'],
      ...['7.50 ± 0.64', '7.38 ± 0.94', '1:30'],
    ]);
    expect(rest).toEqual([]);
    expect(stderr).toMatch(/^left out: runs\/broken-off \(running\)\n$/);
  });

  it('takes runs and folders of runs, as Markdown', () => {
    const { stdout } = report('--markdown', 'alone', 'runs');
    const [head, rule, ...rows] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^\| algorithm \| data \| labels \| .*\| validation accuracy % \|/);
    expect(rule).toMatch(/^(\|(---|---:))+\|$/);
    expect(rows.map((row) => row.split(' | ').length)).toEqual(Array(2).fill(head.split(' | ').length));
    expect(stdout).toMatch(
      /\| featmatch \| mnist \| 40 \| last \| 0 \| – \| – \| 50\.00 \| – \| – \| 5\.0 s \|/,
    );
  });

  it('gives everything as JSON', () => {
    const { groups, leftOut } = JSON.parse(report('--json', 'runs').stdout);
    expect(groups).toMatchObject([
      {
        config: { data: { name: 'cifar-10', labels: 250 } },
        testAccuracy: { count: 2, mean: expect.closeTo(0.93) },
        trainingCpuSeconds: { mean: 170 },
        published: { paper: { mean: 7.5, deviation: 0.64 }, code: { mean: 7.38, deviation: 0.94 } },
        runs: [
          { folder: join('runs', 'cifar-0'), seed: 0, results: { testAccuracy: 0.92 } },
          { folder: join('runs', 'cifar-1'), seed: 1, results: { testAccuracy: 0.94 } },
        ],
      },
    ]);
    expect(leftOut).toEqual([{ folder: join('runs', 'broken-off'), reason: 'running' }]);
  });

  it('--html leaves out runs without a checkpoint', () => {
    const { status, stdout, stderr } = report('--html', 'alone');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toBe('left out: alone (finished, without a checkpoint)\n');
  });

  it('says so where there is nothing to report, and refuses what does not exist', () => {
    mkdirSync(join(folder, 'empty'));
    expect(report('empty')).toEqual({ status: 0, stdout: 'no finished runs in empty\n', stderr: '' });
    expect(report('nowhere')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('nowhere does not exist'),
    });
    expect(report('--json', '--markdown').status).toBe(2);
    expect(report('--html', '--json').stderr).toMatch(/leave --markdown and --json out/);
    expect(report('--html', 'empty')).toMatchObject({ status: 2, stderr: 'featmatch: no runs in empty\n' });
  });
});
