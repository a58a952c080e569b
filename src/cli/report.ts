import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import type { Report, RunGroup, Statistics, StoredRun } from '../runs/index.js';
import type { Column } from './table.js';

interface ReportOptions {
  html?: true;
  markdown?: true;
  json?: true;
}

export function define(command: Command): void {
  command
    .argument('[folders...]', 'runs, or folders that hold runs', ['runs'])
    .option('--html', 'write report.html into each run folder: curves, errors, calibration, prototypes')
    .option('--markdown', 'print a Markdown table')
    .option('--json', 'print JSON')
    .action((folders: readonly string[], options: ReportOptions) =>
      options.html ? writeReports(folders, options) : report(folders, options),
    );
}

/** Prints means and deviations over the seeds of runs. @param folders runs, or folders that hold runs */
export async function report(folders: readonly string[], { markdown, json }: ReportOptions): Promise<void> {
  const [{ reportRuns }, { formatMarkdownTable, formatTable }] = await Promise.all([
    import('../runs/index.js'),
    import('./table.js'),
  ]);
  if (markdown && json) throw new InputError('--markdown and --json are two forms of the report: choose one');
  const { runs, broken } = await findRuns(folders);
  const { groups, leftOut }: Report = reportRuns(runs);
  const omitted = [...leftOut, ...broken];
  if (json) {
    process.stdout.write(`${JSON.stringify({ groups: groups.map(toJson), leftOut: omitted }, null, 2)}\n`);
    return;
  }
  if (groups.length === 0) process.stdout.write(`no finished runs in ${folders.join(', ')}\n`);
  else {
    const { columns, rows } = await tableOf(groups);
    process.stdout.write((markdown ? formatMarkdownTable : formatTable)(columns, rows));
  }
  printLeftOut(omitted);
}

interface LeftOut {
  readonly folder: string;
  readonly reason: string;
}

function printLeftOut(leftOut: readonly LeftOut[]): void {
  for (const { folder, reason } of leftOut) process.stderr.write(`left out: ${folder} (${reason})\n`);
}

async function findRuns(
  folders: readonly string[],
): Promise<{ runs: readonly StoredRun[]; broken: readonly LeftOut[] }> {
  const { listRuns, readRun, runPaths } = await import('../runs/index.js');
  const runs: StoredRun[] = [];
  const broken: LeftOut[] = [];
  for (const folder of new Set(folders)) {
    if (!existsSync(folder))
      throw new InputError(`${folder} does not exist; give runs, or folders that hold runs`);
    if (existsSync(runPaths(folder).record)) {
      runs.push(readRun(folder));
      continue;
    }
    const list = listRuns(folder);
    runs.push(...list.runs);
    broken.push(...list.broken.map(({ folder: name, problem }) => ({ folder: name, reason: problem })));
  }
  return { runs, broken };
}

/** Writes a page about each run that has a checkpoint, and prints where. */
async function writeReports(folders: readonly string[], { markdown, json }: ReportOptions): Promise<void> {
  if (markdown || json) throw new InputError('--html writes files: leave --markdown and --json out');
  const [{ openTrainedModel }, { loadData }, { writeReport }, { listCheckpoints }] = await Promise.all([
    import('./trained-model.js'),
    import('./data-loading.js'),
    import('../report/report.js'),
    import('../runs/index.js'),
  ]);
  const { runs, broken } = await findRuns(folders);
  if (runs.length === 0) throw new InputError(`no runs in ${folders.join(', ')}`);
  for (const { folder, status } of runs) {
    if (listCheckpoints(folder).length === 0) {
      printLeftOut([{ folder, reason: `${status}, without a checkpoint` }]);
      continue;
    }
    const model = openTrainedModel(folder);
    const data = await loadData(model.description.config.data);
    process.stdout.write(`${await writeReport(folder, model, data)}\n`);
  }
  printLeftOut(broken);
}

function toJson({ runs, ...group }: RunGroup) {
  return {
    ...group,
    runs: runs.map(({ folder, record }) => ({
      folder,
      seed: record.seed,
      results: record.results,
      threads: record.machine.threads,
      commit: record.versions.commit,
    })),
  };
}

/** A column, and what it says of a group; left out where it says nothing of any. */
interface ReportColumn extends Column {
  cell(group: RunGroup): string;
}

async function tableOf(groups: readonly RunGroup[]) {
  const [{ formatAccuracy, formatDuration, formatSpread }, { describeLabels }] = await Promise.all([
    import('./format.js'),
    import('../runs/index.js'),
  ]);
  const right = { align: 'right' } as const;
  const columns: readonly ReportColumn[] = [
    { title: 'algorithm', cell: ({ config }) => config.algorithm?.name ?? '' },
    { title: 'data', cell: ({ config }) => config.data?.name ?? '' },
    { title: 'labels', ...right, cell: ({ config }) => describeLabels(config.data) },
    { title: 'settings', cell: ({ distinction }) => formatSettings(distinction) },
    { title: 'protocol', cell: ({ config }) => config.evaluation?.protocol ?? '' },
    { title: 'seeds', cell: ({ runs }) => runs.map(({ record }) => record.seed).join(' ') },
    { title: 'test accuracy %', ...right, cell: ({ testAccuracy }) => formatAccuracy(testAccuracy) },
    { title: 'test error %', ...right, cell: ({ testAccuracy }) => formatAccuracy(errorOf(testAccuracy)) },
    {
      title: 'validation accuracy %',
      ...right,
      cell: ({ validationAccuracy }) => formatAccuracy(validationAccuracy),
    },
    { title: 'paper: error %', ...right, cell: ({ published }) => formatSpread(published?.paper) },
    { title: 'its code: error %', ...right, cell: ({ published }) => formatSpread(published?.code) },
    {
      title: 'training a seed',
      ...right,
      cell: ({ trainingSeconds }) => (trainingSeconds === null ? '' : formatDuration(trainingSeconds.mean)),
    },
    { title: 'commit', cell: ({ runs }) => commitsOf(runs) },
  ];
  const shown = columns.filter(({ cell }) => groups.some((group) => cell(group) !== ''));
  const rows = groups.map((group) => shown.map(({ cell }) => cell(group) || '–'));
  return { columns: shown, rows };
}

/** More settings than these tell no reader anything; the JSON form has all. */
const MAX_SETTINGS = 4;

function formatSettings(distinction: Readonly<Record<string, unknown>>): string {
  const settings = Object.entries(distinction)
    .filter(([key]) => key !== 'evaluation.protocol') // has a column
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const more = settings.length > MAX_SETTINGS ? [`and ${settings.length - MAX_SETTINGS} more`] : [];
  return [...settings.slice(0, MAX_SETTINGS), ...more].join(' ');
}

function errorOf(accuracy: Statistics | null): Statistics | null {
  return accuracy && { ...accuracy, mean: 1 - accuracy.mean };
}

function commitsOf(runs: readonly StoredRun[]): string {
  return [...new Set(runs.flatMap(({ record }) => record.versions.commit?.slice(0, 7) ?? []))].join(' ');
}
