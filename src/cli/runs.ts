import type { Command } from 'commander';
import type { RunList, StoredRun } from '../runs/index.js';

export function define(command: Command): void {
  command
    .argument('[folder]', 'folder that holds the runs', 'runs')
    .option('--json', 'print JSON')
    .action(async (folder: string, { json }: { json?: true }) => {
      const { listRuns } = await import('../runs/stored-run.js');
      const list = listRuns(folder);
      process.stdout.write(json ? `${JSON.stringify(list, null, 2)}\n` : await formatRuns(folder, list));
    });
}

async function formatRuns(folder: string, { runs, broken }: RunList): Promise<string> {
  const { formatTable } = await import('./table.js');
  const columns = [
    { title: 'run' },
    { title: 'status' },
    { title: 'algorithm' },
    { title: 'data' },
    { title: 'labels', align: 'right' },
    { title: 'steps', align: 'right' },
    { title: 'seed', align: 'right' },
    { title: 'test', align: 'right' },
    { title: 'time', align: 'right' },
    { title: 'started (UTC)' },
  ] as const;
  const table =
    runs.length > 0 ? formatTable(columns, await Promise.all(runs.map(formatRun))) : `no runs in ${folder}\n`;
  return table + broken.map(({ problem }) => `broken: ${problem}\n`).join('');
}

async function formatRun({ name, status, record, config }: StoredRun): Promise<string[]> {
  const [{ formatDuration, formatPercent }, { describeLabels }] = await Promise.all([
    import('./format.js'),
    import('../runs/labels.js'),
  ]);
  const { startedAt, seconds, results, seed } = record;
  const text = (value: string | number | null | undefined) => String(value ?? '–');
  return [
    name,
    status,
    text(config.algorithm?.name),
    text(config.data?.name),
    describeLabels(config.data),
    text(config.steps),
    String(seed),
    formatPercent(results?.testAccuracy),
    formatDuration(seconds),
    startedAt.slice(0, 16).replace('T', ' '),
  ];
}
