/** Algorithms beside each other, at the same number of image passes. */
import { basename, extname, join } from 'node:path';
import type { Command } from 'commander';
import type { Comparison, ComparisonRow } from '../config/index.js';
import { InputError } from '../errors.js';
import type { Statistics } from '../runs/index.js';
import { parseCount, parseCounts, parseSeeds } from './arguments.js';
import type { Column } from './table.js';
import { addTrainingsOptions, requireFinished, runTrainings, type TrainingsOptions } from './trainings.js';

interface CompareOptions extends TrainingsOptions {
  preset?: string;
  set?: string[];
  algorithms?: string[];
  labels?: number[];
  seeds?: number[];
  passes?: number;
  output?: string;
  plot?: string;
  train: boolean;
  markdown?: true;
  json?: true;
}

export function define(command: Command): void {
  command
    .argument('[file]', 'what to compare, as JSON (docs/comparisons.md); options lie on top of it')
    .option('--algorithms <list>', 'these alone: rows of the file, or algorithms as they are', parseNames)
    .option('--labels <list>', 'numbers of labeled images, for example 40,100', parseCounts)
    .option('--seeds <list>', 'seeds of each, for example 0,1,2', parseSeeds)
    .option(
      '--passes <count>',
      'image passes of each training: forward and backward 1, forward alone a third',
      parseCount,
    )
    .option('--preset <name>', 'settings that all start from')
    .option('--set <key=value>', 'a setting of all; repeatable', (value, before: string[] = []) => [
      ...before,
      value,
    ])
    .option('--output <folder>', 'folder of the runs (default: runs/ and the name of the file)');
  addTrainingsOptions(command)
    .option('--no-train', 'train nothing: the table of what is finished')
    .option('--plot <file.svg>', 'where to draw the accuracies (default: comparison.svg beside the runs)')
    .option('--markdown', 'print a Markdown table')
    .option('--json', 'print JSON')
    .action(compare);
}

async function compare(file: string | undefined, options: CompareOptions): Promise<void> {
  const { preset, set: sets, algorithms, labels, seeds, passes, markdown, json } = options;
  if (markdown && json) throw new InputError('--markdown and --json are two forms of the table: choose one');
  const { output = join('runs', file === undefined ? 'comparison' : basename(file, extname(file))) } =
    options;
  const { plot = join(output, 'comparison.svg') } = options;
  if (!plot.endsWith('.svg')) throw new InputError(`--plot writes SVG: give a name with .svg, not ${plot}`);
  const { readComparison } = await import('../config/index.js');
  const comparison = readComparison(file, { preset, sets, algorithms, labels, seeds, passes });
  if (options.train) await runTrainings(comparison.runs, output, options);
  const results = await resultsOf(comparison, output);
  if (results.length === 0) {
    if (!options.train) throw new InputError(`no training of the comparison is finished in ${output}`);
  } else {
    await draw(plot, comparison, results);
    await print(comparison, results, { markdown, json });
    process.stderr.write(`plot: ${plot}\n`);
  }
  if (options.train) await requireFinished(comparison.runs, output);
}

/** What was found of a row; of rows with the same labels the most accurate first. */
interface RowResult extends Omit<ComparisonRow, 'runs'> {
  readonly steps: number;
  /** of those that are finished */
  readonly seeds: readonly number[];
  readonly images: 'test' | 'validation';
  /** shares of images classified right, one for each seed */
  readonly accuracies: readonly number[];
  readonly accuracy: Statistics;
  /** wall time */
  readonly trainingSeconds: Statistics;
  /** image passes by second of processor time, all seeds together */
  readonly passesPerSecond: number;
  readonly commits: readonly string[];
}

async function resultsOf({ rows, passes }: Comparison, output: string): Promise<RowResult[]> {
  const [{ readRun, statistics }, { finishedFolders }] = await Promise.all([
    import('../runs/index.js'),
    import('./trainings.js'),
  ]);
  const results: RowResult[] = [];
  for (const { runs, ...row } of rows) {
    const records = (await finishedFolders(runs, output)).map((folder) => readRun(folder).record);
    const numbers = (name: string) => records.flatMap((record) => record.results?.[name] ?? []);
    const images = numbers('testAccuracy').length > 0 ? 'test' : 'validation';
    const accuracies = numbers(`${images}Accuracy`);
    const accuracy = statistics(accuracies);
    const trainingSeconds = statistics(numbers('trainingSeconds'));
    if (accuracy === null || trainingSeconds === null) continue;
    const cpuSeconds = numbers('trainingCpuSeconds').reduce((sum, seconds) => sum + seconds, 0);
    results.push({
      ...row,
      steps: runs[0].config.steps,
      seeds: records.map(({ seed }) => seed),
      images,
      accuracies,
      accuracy,
      trainingSeconds,
      passesPerSecond: (records.length * passes) / cpuSeconds,
      commits: [...new Set(records.flatMap(({ versions }) => versions.commit?.slice(0, 7) ?? []))],
    });
  }
  return results.toSorted((a, b) => a.labels - b.labels || b.accuracy.mean - a.accuracy.mean);
}

async function print(
  comparison: Comparison,
  results: readonly RowResult[],
  { markdown, json }: Pick<CompareOptions, 'markdown' | 'json'>,
): Promise<void> {
  const { passes, seeds } = comparison;
  if (json) {
    process.stdout.write(`${JSON.stringify({ passes, seeds, rows: results }, null, 2)}\n`);
    return;
  }
  const [{ formatMarkdownTable, formatTable }, { formatAccuracy, formatDuration }] = await Promise.all([
    import('./table.js'),
    import('./format.js'),
  ]);
  const right = { align: 'right' } as const;
  const columns: readonly Column[] = [
    { title: 'labels', ...right },
    { title: 'algorithm' },
    { title: `${results[0].images} accuracy %`, ...right },
    { title: 'seeds' },
    { title: 'steps', ...right },
    { title: 'training', ...right },
    { title: 'passes/s', ...right },
    { title: 'hyper-parameters' },
  ];
  const rows = results.map((row) => [
    String(row.labels),
    row.name,
    formatAccuracy(row.accuracy),
    row.seeds.join(' '),
    String(row.steps),
    formatDuration(row.trainingSeconds.mean),
    row.passesPerSecond.toFixed(0),
    formatChoice(row),
  ]);
  process.stdout.write((markdown ? formatMarkdownTable : formatTable)(columns, rows));
}

/** `validation: temperature=1, threshold=0.9` */
function formatChoice({ chosen, settings }: RowResult): string {
  const short = settings.map((setting) => setting.replace(/^algorithm\./, '').replaceAll('"', ''));
  return [chosen, ...(short.length > 0 ? [short.join(', ')] : [])].join(': ');
}

async function draw(path: string, { passes }: Comparison, results: readonly RowResult[]): Promise<void> {
  const [{ dotPlot }, { writeFileAtomically }] = await Promise.all([
    import('./dot-plot.js'),
    import('../runs/index.js'),
  ]);
  const counts = [...new Set(results.map(({ labels }) => labels))];
  const plot = dotPlot({
    title: `${passes} image passes each`,
    axis: `${results[0].images} accuracy in percent; a dot a seed, a bar at the mean`,
    groups: counts.map((count) => ({
      title: `${count} labels`,
      rows: results
        .filter(({ labels }) => labels === count)
        .map(({ name, accuracies }) => ({ label: name, values: accuracies.map((share) => 100 * share) })),
    })),
  });
  writeFileAtomically(path, plot);
}

function parseNames(text: string): string[] {
  return text.split(',').filter((name) => name !== '');
}
