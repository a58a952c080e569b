import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveConfig } from '../config/resolve.js';
import { InputError } from '../errors.js';
import { packageVersion } from './package.js';
import { writePredictions } from './predictions.js';
import { contentHash } from './record.js';
import { createRun, resumeRun } from './run.js';
import { checkpointPath, keepCheckpoints, listCheckpoints, runPaths } from './run-folder.js';
import { listRuns, readRun, readRunMetrics, readSplit } from './stored-run.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'featmatch-runs-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const config = resolveConfig({ values: { seed: 7 } });
const split = {
  dataset: 'mnist',
  labeled: [3, 1, 2],
  labeledHash: 'a',
  validation: [],
  validationHash: 'b',
  leftOut: [],
  unlabeledImages: 7,
  unlabeledHash: 'c',
  testImages: 9,
  testHash: 'd',
};
const engine = { version: '1.13.0', threads: 2 };
const command = ['featmatch', 'train'];
const create = (options = {}) => createRun({ config, split, engine, command, root, ...options });

/** Changes some keys of a run's run.json, as another program or version would. */
function editRecord(folder: string, changes: Record<string, unknown>): void {
  const path = runPaths(folder).record;
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
}

describe('a new run', () => {
  it('has a folder of its own, named by date, name and number', () => {
    const names = [create(), create(), create({ name: 'other' })].map(({ folder }) =>
      folder.slice(root.length + 1),
    );
    const today = new Date().toISOString().slice(0, 10);
    expect(names).toEqual([
      `${today}-featmatch-mnist-40-1`,
      `${today}-featmatch-mnist-40-2`,
      `${today}-other-1`,
    ]);
  });

  it('records configuration, split, seed, versions, machine and command', () => {
    const { folder } = create();
    expect(resolveConfig({ file: runPaths(folder).config })).toEqual(config);
    expect(readSplit(folder)).toEqual(split);
    const { record, status } = readRun(folder);
    expect(status).toBe('running');
    expect(record).toMatchObject({
      seed: 7,
      command,
      versions: { featmatch: packageVersion(), libtorch: '1.13.0', node: process.versions.node },
      machine: { threads: 2, platform: `${process.platform} ${process.arch}` },
      endedAt: null,
      results: null,
    });
  });

  it('never overwrites a folder', () => {
    const folder = join(root, 'mine');
    create({ folder });
    expect(() => create({ folder })).toThrow(InputError);
    expect(() => create({ folder })).toThrow(/mine already exists, and a run is never overwritten/);
    mkdirSync(join(root, 'empty'));
    expect(() => create({ folder: join(root, 'empty') })).toThrow(/already exists/);
    expect(readdirSync(join(root, 'empty'))).toEqual([]);
  });

  it('appears with all its files at once: one that cannot be completed is never seen', () => {
    expect(() => create({ split: { ...split, labeled: 5n as unknown as number[] } })).toThrow(TypeError);
    expect(readdirSync(root)).toEqual([]);
  });

  it.each(['../evil', 'a/b', '', '.hidden', 'two words'])('cannot be named %j', (name) => {
    expect(() => create({ name })).toThrow(/cannot be named/);
    expect(readdirSync(root)).toEqual([]);
  });
});

describe('a run that ends', () => {
  it('is finished with results, its metrics on disk', () => {
    const run = create();
    run.metrics.append({ step: 1, loss: 2 });
    run.finish({ testAccuracy: 0.98 });
    const { record, status } = readRun(run.folder);
    expect(status).toBe('finished');
    expect(record.results).toEqual({ testAccuracy: 0.98 });
    expect(Date.parse(record.endedAt!)).toBeGreaterThanOrEqual(Date.parse(record.startedAt));
    expect(readRunMetrics(run.folder)).toEqual([{ step: 1, loss: 2 }]);
    expect(() => run.interrupt()).toThrow('has ended already');
  });

  it('has failed with the reason, or was interrupted', () => {
    const failed = create();
    failed.fail(new Error('the loss is not finite'));
    expect(readRun(failed.folder)).toMatchObject({
      status: 'failed',
      record: { error: 'the loss is not finite' },
    });
    const interrupted = create();
    interrupted.interrupt();
    expect(readRun(interrupted.folder).status).toBe('interrupted');
  });

  it('counts as interrupted when its process is gone without a word', () => {
    const { folder } = create();
    rmSync(join(folder, 'lock.json')); // lock.test.ts has what else tells that
    expect(readRun(folder)).toMatchObject({ status: 'interrupted', record: { status: 'running' } });
  });

  it('has failed also where that cannot be written, and is free to be resumed', () => {
    const run = create();
    const { record } = runPaths(run.folder);
    const content = readFileSync(record);
    rmSync(record);
    mkdirSync(record);
    expect(() => run.finish({})).toThrow(/^cannot write .*run\.json: it is a folder/);
    run.fail(new Error('the first error'));
    rmSync(record, { recursive: true });
    writeFileSync(record, content);
    expect(readRun(run.folder).status).toBe('interrupted');
  });
});

describe('a run that is resumed', () => {
  const at = (step: number, metricsLength: number) => ({
    engine,
    command: ['featmatch', 'resume'],
    restore: () => ({ step, metricsLength, eventsLength: 0 }),
  });

  /** A run that logged two lines, saved after the first, and was interrupted. */
  function interrupted() {
    const run = create();
    run.metrics.append({ step: 1, loss: 2 });
    const length = run.metrics.save();
    run.saved(1);
    run.metrics.append({ step: 2, loss: 1 });
    run.interrupt();
    return { ...run, length };
  }

  it('goes on after what was saved, and says when and where', () => {
    const { folder, length } = interrupted();
    const before = readRun(folder).record;
    expect(before).toMatchObject({ status: 'interrupted', step: 1, resumed: [] });
    const run = resumeRun(folder, at(1, length));
    expect(readRun(folder)).toMatchObject({ status: 'running', record: { endedAt: null } });
    expect(readRunMetrics(folder)).toEqual([{ step: 1, loss: 2 }]);
    run.metrics.append({ step: 2, loss: 3 });
    run.finish({ testAccuracy: 1 });
    const { record } = readRun(folder);
    expect(readRunMetrics(folder)).toEqual([
      { step: 1, loss: 2 },
      { step: 2, loss: 3 },
    ]);
    expect(record).toMatchObject({ status: 'finished', command, startedAt: before.startedAt });
    expect(record.resumed).toEqual([
      {
        step: 1,
        command: ['featmatch', 'resume'],
        versions: record.versions,
        machine: record.machine,
        startedAt: expect.any(String),
      },
    ]);
  });

  it('adds up the wall time and processor time of all that worked on it', () => {
    const { folder, length } = interrupted();
    editRecord(folder, { seconds: 100, cpuSeconds: 200 });
    const run = resumeRun(folder, at(1, length));
    run.saved(2);
    expect(readRun(folder).record.step).toBe(2);
    run.finish({});
    const { seconds, cpuSeconds } = readRun(folder).record;
    expect(seconds).toBeGreaterThan(100);
    expect(seconds).toBeLessThan(110);
    expect(cpuSeconds).toBeGreaterThan(200);
    expect(cpuSeconds).toBeLessThan(220);
  });

  it('clears away what a killed process left: temporary files, and checkpoints that could not be used', () => {
    const { folder, length } = interrupted();
    for (const step of [1, 2]) writeFileSync(checkpointPath(folder, step), '');
    writeFileSync(join(runPaths(folder).checkpoints, '.step-00000003.safetensors.x.tmp'), '');
    writeFileSync(join(folder, '.run.json.x.tmp'), '');
    resumeRun(folder, at(1, length)).interrupt();
    expect(readdirSync(runPaths(folder).checkpoints)).toEqual([
      'step-00000001.safetensors',
      'step-00000002.safetensors.broken',
    ]);
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('is refused where it is finished, is no run, or is being written', () => {
    const run = create();
    expect(() => resumeRun(run.folder, at(0, 0))).toThrow(
      new RegExp(`^process ${process.pid} on .* works in ${run.folder} since`),
    );
    run.finish({});
    expect(() => resumeRun(run.folder, at(0, 0))).toThrow(
      `the run ${run.folder} is finished: there is nothing to resume`,
    );
    expect(() => resumeRun(root, at(0, 0))).toThrow(/is not a run/);
    expect(existsSync(join(root, 'lock.json'))).toBe(false);
  });

  it('is free again where bringing it back fails, and stays as it was', () => {
    const { folder, length } = interrupted();
    const failing = {
      ...at(1, length),
      restore: () => {
        throw new InputError('no good checkpoint');
      },
    };
    expect(() => resumeRun(folder, failing)).toThrow('no good checkpoint');
    expect(readRun(folder).record.resumed).toEqual([]);
    expect(readRunMetrics(folder).length).toBe(2);
    resumeRun(folder, at(1, length)).interrupt();
  });

  it('is refused where metrics are missing that the checkpoint has', () => {
    const { folder, length } = interrupted();
    writeFileSync(runPaths(folder).metrics, '');
    expect(() => resumeRun(folder, at(1, length))).toThrow(
      `metrics.jsonl has 0 bytes, but had ${length} when the checkpoint was saved`,
    );
  });
});

describe('the list of runs', () => {
  it('is in the order of their start, reports broken ones, and passes over what is no run', () => {
    const [second, first, broken] = [create({ name: 'a' }), create({ name: 'b' }), create({ name: 'c' })];
    editRecord(first.folder, { startedAt: '2020-01-01T00:00:00.000Z' });
    writeFileSync(runPaths(broken.folder).record, '{"format":1,');
    mkdirSync(join(root, 'notes'));
    writeFileSync(join(root, 'file'), '');
    mkdirSync(join(root, '.half.x.tmp'));
    writeFileSync(join(root, '.half.x.tmp', 'config.json'), '{}');
    mkdirSync(join(root, 'cut-off'));
    writeFileSync(join(root, 'cut-off', 'config.json'), '{}');
    const list = listRuns(root);
    expect(list.runs.map(({ folder }) => folder)).toEqual([first.folder, second.folder]);
    expect(list.broken.map(({ folder }) => folder)).toEqual([broken.folder, join(root, 'cut-off')]);
    expect(list.broken[0].problem).toMatch(/run\.json cannot be read/);
  });

  it('is empty where there is no such folder', () => {
    expect(listRuns(join(root, 'none'))).toEqual({ runs: [], broken: [] });
  });
});

describe('a folder that is read', () => {
  it('must be a run', () => {
    expect(() => readRun(root)).toThrow(InputError);
    expect(() => readRun(root)).toThrow(/is not a run: it has no run\.json/);
  });

  it.each([
    [{ status: 'flying' }, /run\.json is not valid: status: /],
    [{ startedAt: 'yesterday' }, /run\.json is not valid: startedAt: /],
    [{ format: 2 }, /run\.json is not valid: format: /],
  ])('with %j in run.json is refused by file and key', (changes, sentence) => {
    const { folder } = create();
    editRecord(folder, changes);
    expect(() => readRun(folder)).toThrow(InputError);
    expect(() => readRun(folder)).toThrow(sentence);
  });

  it('may come from a later version with more keys', () => {
    const { folder } = create();
    editRecord(folder, { weather: 'fine' });
    expect(readRun(folder).status).toBe('running');
  });
});

describe('checkpoints', () => {
  it('are listed by step, and nothing else in their folder is', () => {
    const { folder } = create();
    for (const step of [1000, 200]) writeFileSync(checkpointPath(folder, step), '');
    writeFileSync(join(runPaths(folder).checkpoints, 'step-5.safetensors'), '');
    writeFileSync(join(runPaths(folder).checkpoints, '.step-00000300.safetensors.x.tmp'), '');
    expect(listCheckpoints(folder).map(({ step }) => step)).toEqual([5, 200, 1000]);
    expect(listCheckpoints(folder)[1].path).toBe(checkpointPath(folder, 200));
    expect(listCheckpoints(root)).toEqual([]);
  });

  it('of other steps than those that are kept are removed, and nothing else is', () => {
    const { folder } = create();
    for (const step of [1, 2, 3, 4]) writeFileSync(checkpointPath(folder, step), '');
    writeFileSync(join(runPaths(folder).checkpoints, 'step-00000001.safetensors.broken'), '');
    keepCheckpoints(folder, new Set([2, 4, 5]));
    expect(readdirSync(runPaths(folder).checkpoints)).toEqual([
      'step-00000001.safetensors.broken',
      'step-00000002.safetensors',
      'step-00000004.safetensors',
    ]);
  });
});

describe('predictions', () => {
  it('are CSV with quoted texts where they need it', () => {
    const path = join(root, 'predictions.csv');
    writePredictions(path, [
      { image: 12, predicted: 'Bag', confidence: 0.25 },
      { image: 'a, "b".png', predicted: 'T-shirt/top', confidence: 1 },
    ]);
    expect(readFileSync(path, 'utf8')).toBe(
      'image,predicted,confidence\r\n12,Bag,0.250000\r\n"a, ""b"".png",T-shirt/top,1.000000\r\n',
    );
  });
});

describe('contentHash', () => {
  it('is the SHA-256 of all parts together', () => {
    const hash = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'; // of "abc", FIPS 180-2
    expect(contentHash([Buffer.from('a'), Buffer.from('bc')])).toBe(hash);
  });
});
