/** What the project is about, in one command: the same few labels with and without unlabeled images. */
import type { Command } from 'commander';
import type { TrainingResult } from '../train/index.js';
import { configOf } from './train-options.js';

interface DemoOptions {
  seed?: string;
  steps?: string;
  json?: true;
}

const ALGORITHMS = ['supervised', 'featmatch'] as const;

export function define(command: Command): void {
  command
    .option('--seed <number>', 'another choice of labeled images, weights and views')
    .option('--steps <count>', 'training steps of each of the two')
    .option('--json', 'print the result as JSON')
    .action(demo);
}

async function demo({ json, ...options }: DemoOptions): Promise<void> {
  const [{ loadDataset }, { trainWithProgress }] = await Promise.all([
    import('../data/load.js'),
    import('./training.js'),
  ]);
  const configs = await Promise.all(
    ALGORITHMS.map((algorithm) =>
      configOf({ ...options, preset: 'mnist', algorithm, set: ['predictUnlabeled=false'] }),
    ),
  );
  const [{ data, steps }] = configs;
  const images = await loadDataset(data.name);
  const labels = data.labels ?? images.train.count;
  process.stderr.write(
    `${data.name}: ${labels} labeled images, ${images.train.count - labels} unlabeled ones, ${steps} steps each\n`,
  );
  const results: Record<string, TrainingResult> = {};
  for (const config of configs) {
    results[config.algorithm.name] = await trainWithProgress(config, images);
  }
  process.stdout.write(
    json ? `${JSON.stringify(results, null, 2)}\n` : await format(results, images.test.count),
  );
}

async function format(
  results: Readonly<Record<string, TrainingResult>>,
  testImages: number,
): Promise<string> {
  const [{ formatTable }, { formatPercent, formatDuration }] = await Promise.all([
    import('./table.js'),
    import('./format.js'),
  ]);
  const rows = Object.entries(results).map(([name, { testAccuracy, trainingSeconds, folder }]) => [
    name,
    formatPercent(testAccuracy),
    formatPercent(testAccuracy === null ? null : 1 - testAccuracy),
    formatDuration(trainingSeconds),
    folder,
  ]);
  const columns = [
    { title: 'algorithm' },
    { title: 'test accuracy', align: 'right' },
    { title: 'error', align: 'right' },
    { title: 'training', align: 'right' },
    { title: 'run folder' },
  ] as const;
  return `\nOn all ${testImages} test images:\n\n${formatTable(columns, rows)}`;
}
