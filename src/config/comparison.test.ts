import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { type ComparisonChanges, passesOfStep, readComparison } from './comparison.js';
import { resolveConfig } from './resolve.js';
import type { PartialConfig } from './schema.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-comparison-'));
afterAll(() => rmSync(folder, { recursive: true }));

function comparisonOf(content: unknown, changes?: ComparisonChanges) {
  const path = join(folder, 'comparison.json');
  writeFileSync(path, JSON.stringify(content));
  return readComparison(path, changes);
}

const TWO = {
  passes: 8000,
  seeds: [3, 1],
  labels: [10, 40],
  settings: { preset: 'mnist', batch: { labeled: 16, unlabeled: 48 } },
  algorithms: {
    supervised: {},
    augf: { algorithm: { name: 'fixmatch', augmentation: { heads: 2 } }, chosen: 'on validation images' },
  },
};

describe('a step costs', () => {
  const costOf = (algorithm: PartialConfig['algorithm']) =>
    passesOfStep(resolveConfig({ values: { algorithm, batch: { labeled: 16, unlabeled: 48 } } }));

  it.each([
    ['a pass for each labeled image', { name: 'supervised' }, 16],
    [
      'a third for what is guessed without gradients',
      { name: 'fixmatch', pseudoLabels: 'no-grad' },
      16 + 48 + 16,
    ],
    ['all of what gradients are recorded for', { name: 'fixmatch', pseudoLabels: 'joint' }, 16 + 2 * 48],
    ["the guesses of FeatMatch's average", { name: 'featmatch' }, 16 + 48 + 16],
    ['every view', { name: 'mixmatch', weakViews: 3 }, 16 + 3 * 48 + 3 * 16],
  ] as [string, PartialConfig['algorithm'], number][])('%s', (_, algorithm, cost) => {
    expect(costOf(algorithm)).toBeCloseTo(cost, 9);
  });
});

describe('a comparison', () => {
  it('is every algorithm with every number of labels and every seed, the first seed first', () => {
    const { runs, rows, passes } = comparisonOf(TWO);
    expect(passes).toBe(8000);
    expect(runs.map(({ name }) => name)).toEqual([
      '10-supervised-seed-3',
      '10-augf-seed-3',
      '40-supervised-seed-3',
      '40-augf-seed-3',
      '10-supervised-seed-1',
      '10-augf-seed-1',
      '40-supervised-seed-1',
      '40-augf-seed-1',
    ]);
    expect(rows[3]).toEqual({
      name: 'augf',
      labels: 40,
      chosen: 'on validation images',
      settings: ['algorithm.name="fixmatch"', 'algorithm.augmentation.heads=2'],
      runs: [runs[3], runs[7]],
    });
    expect(rows[0]).toMatchObject({ chosen: 'defaults', settings: [] });
  });

  it('gives each as many steps as the passes are enough for', () => {
    const { runs } = comparisonOf(TWO);
    expect(runs[0].config).toEqual(
      resolveConfig({
        preset: 'mnist',
        values: { seed: 3, steps: 500, data: { labels: 10 }, algorithm: { name: 'supervised' } },
      }),
    );
    expect(runs[1].config.steps).toBe(71); // 8,000 of 112
    const few = { algorithms: { supervised: { batch: { labeled: 3 } } } };
    expect(comparisonOf({ ...TWO, ...few }).runs[0].config.steps).toBe(2667);
  });

  it('needs no file, and flags lie on top of one', () => {
    const { runs } = readComparison(undefined, {
      passes: 1600,
      seeds: [0],
      labels: [40],
      preset: 'fashion-mnist',
      algorithms: ['vat'],
      sets: ['data.validation=100', 'optimizer.learningRate=0.01'],
    });
    const values = { data: { labels: 40, validation: 100 }, optimizer: { learningRate: 0.01 }, steps: 10 };
    expect(runs.map(({ config }) => config)).toEqual([
      resolveConfig({ preset: 'fashion-mnist', values: { ...values, algorithm: { name: 'vat' } } }),
    ]);
    const changed = comparisonOf(TWO, {
      passes: 800,
      seeds: [5],
      labels: [20],
      algorithms: ['augf', 'mixup'],
    });
    expect(changed.runs.map(({ name, config }) => [name, config.algorithm.name, config.steps])).toEqual([
      ['20-augf-seed-5', 'fixmatch', 7],
      ['20-mixup-seed-5', 'mixup', 50],
    ]);
  });

  it.each([
    [{ ...TWO, passes: undefined }, /is not a comparison: passes: /],
    [{ ...TWO, labels: [] }, /is not a comparison: labels: /],
    [{ ...TWO, algorithms: {} }, /is not a comparison: algorithms: expected one at least/],
    [{ ...TWO, algorithms: { fixmach: {} } }, /algorithm\.name cannot be "fixmach"/],
    [{ ...TWO, algorithms: { vat: { chosen: 3 } } }, /is not a comparison: algorithms\.vat\.chosen: /],
    [
      { ...TWO, settings: { steps: 5 } },
      /comparison: settings\.steps: they follow from passes: leave them out/,
    ],
    [{ ...TWO, algorithms: { vat: { steps: 5 } } }, /algorithms\.vat\.steps: they follow from passes/],
    [{ ...TWO, seed: 0 }, /is not a comparison: its content: .*seed/],
    [{ ...TWO, passes: 7 }, /7 passes are less than one step of 10-supervised-seed-3/],
    [
      { ...TWO, algorithms: { vat: { algorithm: { epsilom: 1 } } } },
      /unknown setting algorithm\.epsilom \(in /,
    ],
  ])('that is none is refused before anything begins: %j', (content, message) => {
    expect(() => comparisonOf(content)).toThrow(InputError);
    expect(() => comparisonOf(content)).toThrow(message);
  });

  it('without a file says what is missing, and which algorithm was meant', () => {
    expect(() => readComparison(undefined, { passes: 10, seeds: [0], labels: [40] })).toThrow(
      /^the comparison is not complete: algorithms: /,
    );
    expect(() => comparisonOf(TWO, { algorithms: ['agf'] })).toThrow(
      "there is no algorithm 'agf'; did you mean 'augf'?",
    );
  });
});
