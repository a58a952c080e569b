import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { resolveConfig } from './resolve.js';
import { readSweep } from './sweep.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-sweep-'));
afterAll(() => rmSync(folder, { recursive: true }));

function sweepOf(content: unknown) {
  const path = join(folder, 'sweep.json');
  writeFileSync(path, JSON.stringify(content));
  return readSweep(path);
}

describe('a sweep', () => {
  it('is every combination with every seed, the first seed first', () => {
    const runs = sweepOf({
      seeds: [3, 1],
      settings: { steps: 7 },
      vary: {
        data: { few: { data: { labels: 10 } }, many: { data: { labels: 100 } } },
        algorithm: { featmatch: {}, supervised: { algorithm: { name: 'supervised' } } },
      },
    });
    expect(runs.map(({ name }) => name)).toEqual([
      'few-featmatch-seed-3',
      'few-supervised-seed-3',
      'many-featmatch-seed-3',
      'many-supervised-seed-3',
      'few-featmatch-seed-1',
      'few-supervised-seed-1',
      'many-featmatch-seed-1',
      'many-supervised-seed-1',
    ]);
    expect(runs[5].variants).toEqual(['few', 'supervised']);
    expect(runs[5].config).toEqual(
      resolveConfig({
        values: { seed: 1, steps: 7, data: { labels: 10 }, algorithm: { name: 'supervised' } },
      }),
    );
  });

  it('lays what is said later on top, presets below their own settings', () => {
    const [run] = sweepOf({
      seeds: [0],
      settings: { preset: 'mnist', views: { cutout: 0.1 }, algorithm: { heads: 2 } },
      vary: { data: { fashion: { preset: 'fashion-mnist', data: { labels: 50 } } } },
    });
    const expected = resolveConfig({ preset: 'mnist', values: { algorithm: { heads: 2 } } });
    const fashion = resolveConfig({ preset: 'fashion-mnist' });
    expect(run.config.data).toEqual({ ...fashion.data, labels: 50 });
    expect(run.config.views.cutout).toBe(fashion.views.cutout);
    expect(run.config.views.exclude).toEqual(expected.views.exclude);
    expect(run.config.algorithm).toEqual(expected.algorithm);
  });

  it('may vary the seed alone', () => {
    expect(sweepOf({ seeds: [5] })).toEqual([
      { name: 'seed-5', variants: [], seed: 5, config: resolveConfig({ values: { seed: 5 } }) },
    ]);
  });

  it.each([
    [{ seeds: [] }, /is not a sweep: seeds: /],
    [{}, /is not a sweep: seeds: /],
    [{ seeds: [0], varry: {} }, /is not a sweep: its content: .*varry/],
    [{ seeds: [0], vary: { data: { 'a/b': {} } } }, /is not a sweep: vary\.data\.?.*: /],
    [{ seeds: [0], settings: { preset: 'mnits' } }, /there is no preset 'mnits'; did you mean 'mnist'/],
    [{ seeds: [0], settings: { stepps: 3 } }, /unknown setting stepps \(in settings of .*sweep\.json\)/],
    [
      { seeds: [0], vary: { length: { short: { steps: 0 } } } },
      /steps cannot be 0 \(in length short of .*sweep\.json\)/,
    ],
    [{ seeds: [2 ** 33] }, /seed cannot be 8589934592 \(in seeds of .*sweep\.json\)/],
  ])('that is none is refused before anything begins: %j', (content, message) => {
    expect(() => sweepOf(content)).toThrow(InputError);
    expect(() => sweepOf(content)).toThrow(message);
  });
});
