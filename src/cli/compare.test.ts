// The compiled command line: `npm test` compiles it before.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyMnist } from '../../test/support/tiny-mnist.js';
import { readRun } from '../runs/index.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'featmatch-compare-'));
beforeAll(() => {
  writeTinyMnist(join(folder, 'data'));
  const settings = {
    data: { folder: 'data' },
    batch: { labeled: 4, unlabeled: 6 },
    model: { width: 1, strides: [2, 2, 2] },
    predictUnlabeled: false,
  };
  const algorithms = {
    supervised: {},
    augf: {
      algorithm: { name: 'fixmatch', pseudoLabels: 'no-grad', augmentation: { warmupSteps: 2 } },
      chosen: 'for few steps',
    },
  };
  const comparison = { passes: 120, seeds: [0], labels: [20], settings, algorithms };
  writeFileSync(join(folder, 'two.json'), JSON.stringify(comparison));
});
afterAll(() => rmSync(folder, { recursive: true }));

function compare(...args: string[]) {
  const options = { cwd: folder, encoding: 'utf8' } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'compare', ...args], options);
  return { status, stdout, stderr };
}

describe('featmatch compare', () => {
  it('trains nothing where only a table is asked for', () => {
    expect(compare('two.json', '--no-train')).toEqual({
      status: 2,
      stdout: '',
      stderr: 'featmatch: no training of the comparison is finished in runs/two\n',
    });
  });

  it('trains each at the same cost, and ends with a table, the most accurate first, and a plot', () => {
    const { status, stdout, stderr } = compare('two.json', '--parallel', '2');
    expect({ status, stderr: stderr.split('\n')[0] }).toEqual({
      status: 0,
      stderr: '2 trainings in runs/two, of which 0 are finished',
    });
    const [header, ...rows] = stdout.trimEnd().split('\n');
    expect(header).toMatch(
      /^labels +algorithm +test accuracy % +seeds +steps +training +passes\/s +hyper-parameters$/,
    );
    expect(rows.find((row) => row.includes(' augf '))).toMatch(
      / 20 +augf +[\d.]+ +0 +10 .* for few steps: name=fixmatch, pseudoLabels=no-grad, augmentation\.warmupSteps=2$/,
    );
    expect(rows.find((row) => row.includes(' supervised '))).toMatch(
      / 20 +supervised +[\d.]+ +0 +30 .* defaults$/,
    );
    const accuracies = rows.map((row) => Number(row.trim().split(/ +/)[2]));
    expect(accuracies[0]).toBeGreaterThanOrEqual(accuracies[1]);
    const plot = readFileSync(join(folder, 'runs/two/comparison.svg'), 'utf8');
    expect(plot.match(/<circle/g)).toHaveLength(2);
    expect(plot).toContain('120 image passes each');
    expect(readRun(join(folder, 'runs/two/20-augf-seed-0')).config.steps).toBe(10);
  });

  it('goes on with further seeds, and has mean and deviation over all', () => {
    const { status, stdout, stderr } = compare(
      'two.json',
      '--seeds',
      '0,1',
      '--algorithms',
      'supervised',
      '--json',
    );
    expect({ status, stderr: stderr.split('\n')[0] }).toEqual({
      status: 0,
      stderr: '2 trainings in runs/two, of which 1 are finished',
    });
    const { passes, rows } = JSON.parse(stdout);
    expect(passes).toBe(120);
    const [{ name, seeds, accuracies, accuracy }] = rows;
    expect({ name, seeds }).toEqual({ name: 'supervised', seeds: [0, 1] });
    expect(accuracy.mean).toBeCloseTo((accuracies[0] + accuracies[1]) / 2, 9);
    expect(accuracy.deviation).toBeCloseTo(Math.abs(accuracies[0] - accuracies[1]) / Math.SQRT2, 9);
  });

  it('shows what is finished of an unfinished comparison', () => {
    const { status, stdout } = compare(
      'two.json',
      '--seeds',
      '0,1',
      '--no-train',
      '--markdown',
      '--plot',
      'p.svg',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\| labels \| algorithm \|/);
    expect(stdout).toMatch(/\| 20 \| augf \| [\d.]+ \| 0 \| 10 \|/);
    expect(stdout).toMatch(/\| 20 \| supervised \| [\d.]+ ± [\d.]+ \| 0 1 \| 30 \|/);
    expect(readFileSync(join(folder, 'p.svg'), 'utf8').match(/<circle/g)).toHaveLength(3);
  });

  it.each([
    [
      ['two.json', '--passes', '400', '--no-train'],
      /runs\/two\/20-supervised-seed-0 is of another configuration: steps: 100 here, 30 there/,
    ],
    [['two.json', '--plot', 'plot.png'], /--plot writes SVG: give a name with \.svg, not plot\.png/],
    [['--labels', '40,x'], /--labels <list>.*'40,x' is invalid\. It is a list of numbers, such as 40,100\./],
  ])('refuses %j', (args, message) => {
    const { status, stderr } = compare(...args);
    expect({ status }).toEqual({ status: 2 });
    expect(stderr).toMatch(message);
  });
});
