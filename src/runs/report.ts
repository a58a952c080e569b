/** Runs that differ in their seed alone, put together: means and standard deviations of what they found. */
import type { PartialConfig } from '../config/schema.js';
import { type PublishedResult, publishedResult } from './published-results.js';
import type { StoredRun } from './stored-run.js';

export interface Statistics {
  readonly count: number;
  readonly mean: number;
  /** of the sample, over count − 1; null of a single number */
  readonly deviation: number | null;
}

/** Finished runs with the same settings and different seeds. */
export interface RunGroup {
  /** the settings that they share */
  readonly config: PartialConfig;
  /** the settings, by key, that tell this group from others with the same algorithm, data and labels */
  readonly distinction: Readonly<Record<string, unknown>>;
  /** one for each seed, the smallest first */
  readonly runs: readonly StoredRun[];
  /** shares of images that are classified right, 0…1; null where no run looked at such images */
  readonly testAccuracy: Statistics | null;
  readonly validationAccuracy: Statistics | null;
  readonly trainingSeconds: Statistics | null;
  readonly trainingCpuSeconds: Statistics | null;
  /** for this data and these labels, by FeatMatch's authors */
  readonly published: PublishedResult | null;
}

export interface Report {
  readonly groups: readonly RunGroup[];
  readonly leftOut: readonly { readonly folder: string; readonly reason: string }[];
}

/** What no accuracy depends on, beside the seed. */
const INDIFFERENT = new Set([
  'seed',
  'threads',
  'saveEvery',
  'keepCheckpoints',
  'logEvery',
  'predictUnlabeled',
  'tensorboard',
  'data.workers',
]);

/** Groups in the order of their first runs. Of several runs with the same settings and seed, the latest counts. */
export function reportRuns(runs: readonly StoredRun[]): Report {
  const leftOut: { folder: string; reason: string }[] = [];
  const bySettings = new Map<string, { settings: Map<string, unknown>; runs: Map<number, StoredRun> }>();
  for (const run of runs.toSorted((a, b) => a.record.startedAt.localeCompare(b.record.startedAt))) {
    if (run.status !== 'finished') {
      leftOut.push({ folder: run.folder, reason: run.status });
      continue;
    }
    const settings = settingsOf(run.config);
    const key = JSON.stringify([...settings]);
    const group = bySettings.get(key) ?? { settings, runs: new Map<number, StoredRun>() };
    bySettings.set(key, group);
    const earlier = group.runs.get(run.record.seed);
    if (earlier !== undefined) leftOut.push({ folder: earlier.folder, reason: `repeated in ${run.folder}` });
    group.runs.set(run.record.seed, run);
  }
  const all = [...bySettings.values()];
  const groups = all.map(({ settings, runs: bySeed }) => {
    const alike = all
      .map((other) => other.settings)
      .filter((other) => subjectOf(other) === subjectOf(settings));
    return describeGroup(
      [...bySeed.values()].toSorted((a, b) => a.record.seed - b.record.seed),
      differences(settings, alike),
    );
  });
  return { groups, leftOut };
}

function describeGroup(runs: readonly StoredRun[], distinction: RunGroup['distinction']): RunGroup {
  const [{ config }] = runs;
  const of = (name: string) => statistics(runs.flatMap(({ record }) => record.results?.[name] ?? []));
  return {
    config,
    distinction,
    runs,
    testAccuracy: of('testAccuracy'),
    validationAccuracy: of('validationAccuracy'),
    trainingSeconds: of('trainingSeconds'),
    trainingCpuSeconds: of('trainingCpuSeconds'),
    published: publishedResult(config) ?? null,
  };
}

/** Mean and sample standard deviation; null of nothing. */
export function statistics(values: readonly number[]): Statistics | null {
  const count = values.length;
  if (count === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { count, mean, deviation: count === 1 ? null : Math.sqrt(squares / (count - 1)) };
}

/** The settings that make a difference, by key (`optimizer.momentum`), sorted. */
function settingsOf(config: PartialConfig): Map<string, unknown> {
  const isOwnFolder = config.data?.name === 'folder';
  const settings = [...leaves(config, '')].filter(
    ([key]) => !INDIFFERENT.has(key) && (key !== 'data.folder' || isOwnFolder),
  );
  return new Map(settings.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function* leaves(value: object, prefix: string): Generator<[string, unknown]> {
  for (const [name, inner] of Object.entries(value)) {
    const isSection = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    if (isSection) yield* leaves(inner, `${prefix}${name}.`);
    else yield [prefix + name, inner];
  }
}

/** What a row of a report is about; groups of the same are told apart by their other settings. */
const SUBJECT = [
  'algorithm.name',
  'data.name',
  'data.folder',
  'data.labels',
  'data.labelsPerClass',
  'data.labelShare',
];

function subjectOf(settings: ReadonlyMap<string, unknown>): string {
  return JSON.stringify(SUBJECT.map((key) => settings.get(key) ?? null));
}

/** Those of the settings that others have otherwise. */
function differences(
  settings: ReadonlyMap<string, unknown>,
  others: readonly ReadonlyMap<string, unknown>[],
): Record<string, unknown> {
  const differs = ([key, value]: [string, unknown]) =>
    others.some((other) => JSON.stringify(other.get(key)) !== JSON.stringify(value));
  return Object.fromEntries([...settings].filter(differs));
}
