import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type StoredRunOptions, storeRun } from '../../test/support/stored-runs.js';
import { type PartialConfig, resolveConfig } from '../config/index.js';
import { publishedResult } from './published-results.js';
import { reportRuns, statistics } from './report.js';

const root = mkdtempSync(join(tmpdir(), 'featmatch-report-'));
afterAll(() => rmSync(root, { recursive: true }));

let stored = 0;
const store = (options: StoredRunOptions) => storeRun(root, `run-${++stored}`, options);
const finished = (testAccuracy: number | null, values: PartialConfig) =>
  store({ values, results: { testAccuracy, validationAccuracy: null, trainingSeconds: 60 } });

describe('statistics', () => {
  it('are the mean and the standard deviation of a sample', () => {
    // deviations −3, −1, 1, 3: squares 20, over three
    expect(statistics([1, 3, 5, 7])).toEqual({ count: 4, mean: 4, deviation: Math.sqrt(20 / 3) });
  });

  it('know no deviation of a single number, and nothing of none', () => {
    expect(statistics([5])).toEqual({ count: 1, mean: 5, deviation: null });
    expect(statistics([])).toBeNull();
  });
});

describe('a report', () => {
  it('puts runs together that differ in nothing but seed, and what no accuracy depends on', () => {
    const { groups } = reportRuns([
      finished(0.9, { seed: 2 }),
      finished(0.7, { seed: 0, threads: 1, saveEvery: 5, logEvery: 3 }),
      finished(0.8, { seed: 1, predictUnlabeled: false, data: { workers: 0, folder: 'elsewhere' } }),
    ]);
    expect(groups.length).toBe(1);
    const [{ runs, testAccuracy, trainingSeconds, validationAccuracy, distinction }] = groups;
    expect(runs.map(({ record }) => record.seed)).toEqual([0, 1, 2]);
    expect(testAccuracy?.count).toBe(3);
    expect(testAccuracy?.mean).toBeCloseTo(0.8, 12);
    expect(testAccuracy?.deviation).toBeCloseTo(0.1, 12);
    expect(trainingSeconds).toEqual({ count: 3, mean: 60, deviation: 0 });
    expect(validationAccuracy).toBeNull();
    expect(distinction).toEqual({});
  });

  it('keeps other settings apart, and says which they are', () => {
    const { groups } = reportRuns([
      finished(0.9, { optimizer: { learningRate: 0.1 } }),
      finished(0.9, { optimizer: { learningRate: 0.2 } }),
      finished(0.9, { optimizer: { learningRate: 0.2 }, evaluation: { protocol: 'median' } }),
      finished(0.9, { data: { labels: 80 } }),
      finished(0.9, { algorithm: { name: 'supervised' } }),
    ]);
    const rate = (learningRate: number) => ({ 'optimizer.learningRate': learningRate });
    expect(groups.map(({ distinction }) => distinction)).toEqual([
      { ...rate(0.1), 'evaluation.protocol': 'last' },
      { ...rate(0.2), 'evaluation.protocol': 'last' },
      { ...rate(0.2), 'evaluation.protocol': 'median' },
      {}, // the number of labels and the algorithm are what a row is about
      {},
    ]);
  });

  it('keeps folders of own images apart', () => {
    const of = (folder: string) => finished(0.9, { data: { name: 'folder', folder } });
    const { groups } = reportRuns([of('cats'), of('dogs')]);
    expect(groups.length).toBe(2);
  });

  it('counts the latest run of each seed alone, and names those that it leaves out', () => {
    const first = finished(0.5, { seed: 3 });
    const second = finished(0.6, { seed: 3 });
    const running = store({ results: null });
    const later = { ...second, record: { ...second.record, startedAt: '2999-01-01T00:00:00.000Z' } };
    const { groups, leftOut } = reportRuns([later, running, first]);
    expect(groups.map(({ testAccuracy }) => testAccuracy)).toEqual([
      { count: 1, mean: 0.6, deviation: null },
    ]);
    expect(new Set(leftOut)).toEqual(
      new Set([
        { folder: first.folder, reason: `repeated in ${second.folder}` },
        { folder: running.folder, reason: 'running' },
      ]),
    );
  });

  it('has no test accuracy where test images were not looked at', () => {
    const run = store({ results: { testAccuracy: null, validationAccuracy: 0.75 } });
    const [{ testAccuracy, validationAccuracy }] = reportRuns([run]).groups;
    expect(testAccuracy).toBeNull();
    expect(validationAccuracy?.mean).toBe(0.75);
  });
});

describe('the published results', () => {
  const text = (error?: { mean: number; deviation: number }) =>
    `${error?.mean.toFixed(2)} ±${error?.deviation.toFixed(2)}`;

  // error %: setting, labels, paper, code
  it.each`
    data               | labels   | paper            | code
    ${'cifar-10'}      | ${250}   | ${'7.50 ±0.64'}  | ${'7.38 ±0.94'}
    ${'cifar-10'}      | ${1000}  | ${'5.76 ±0.07'}  | ${'6.04 ±0.24'}
    ${'cifar-10'}      | ${4000}  | ${'4.91 ±0.18'}  | ${'5.19 ±0.05'}
    ${'svhn'}          | ${250}   | ${'3.34 ±0.19'}  | ${'3.62 ±0.12'}
    ${'svhn'}          | ${1000}  | ${'3.10 ±0.06'}  | ${'3.02 ±0.04'}
    ${'svhn'}          | ${4000}  | ${'2.62 ±0.08'}  | ${'2.61 ±0.02'}
    ${'cifar-100'}     | ${4000}  | ${'31.06 ±0.41'} | ${'30.79 ±0.35'}
    ${'cifar-100'}     | ${10000} | ${'26.83 ±0.04'} | ${'26.88 ±0.13'}
    ${'mini-imagenet'} | ${4000}  | ${'39.05 ±0.06'} | ${'38.94 ±0.19'}
    ${'mini-imagenet'} | ${10000} | ${'34.79 ±0.22'} | ${'34.84 ±0.19'}
  `('of $data with $labels labels are those of the paper and its code', ({ data, labels, paper, code }) => {
    const result = publishedResult({ data: { name: data, labels } });
    expect(text(result?.paper)).toBe(paper);
    expect(text(result?.code)).toBe(code);
  });

  // error %: r_u, paper, code
  it.each([
    [0, '40.66 ±0.60', '40.47 ±0.23'],
    [25, '46.11 ±1.15', '43.40 ±0.25'],
    [50, '54.01 ±0.66', '52.49 ±1.06'],
    [75, '58.30 ±0.93', '56.20 ±1.25'],
  ])(
    'of DomainNet with %s %% of source images are those of the paper and its code',
    (percent, paper, code) => {
      const { data } = resolveConfig({ preset: `reference-domainnet-${percent}` });
      const result = publishedResult({ data });
      expect(text(result?.paper)).toBe(paper);
      expect(text(result?.code)).toBe(code);
      expect(publishedResult({ data: { ...data, target: 'sketch' } })).toBeUndefined();
    },
  );

  it('stand beside runs with their data and labels alone', () => {
    const published = (data: PartialConfig['data']) =>
      reportRuns([finished(0.9, { data })]).groups[0].published;
    expect(published({ name: 'cifar-10', labels: 250 })).not.toBeNull();
    expect(published({ name: 'cifar-10', labels: 300 })).toBeNull();
    expect(published({ name: 'cifar-10', labels: 250, labelsPerClass: 7 })).toBeNull();
    expect(published({ name: 'mnist', labels: 250 })).toBeNull();
  });
});
