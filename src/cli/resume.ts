import type { Command } from 'commander';
import { addProcessesOption, inProcesses } from './processes.js';

interface ResumeOptions {
  processes?: number;
  json?: true;
}

export function define(command: Command): void {
  addProcessesOption(command.argument('<run>', 'run folder'))
    .option('--json', 'print the result as JSON')
    .action(resume);
}

async function resume(folder: string, { processes, json }: ResumeOptions): Promise<void> {
  const [{ resolveConfig }, { readUnfinishedRun, runPaths }] = await Promise.all([
    import('../config/index.js'),
    import('../runs/index.js'),
  ]);
  readUnfinishedRun(folder); // before anything that takes time
  const config = resolveConfig({ file: runPaths(folder).config });
  await inProcesses(config, processes, async ({ world }) => {
    const [{ loadData }, { trainWithProgress }, { printResult }] = await Promise.all([
      import('./data-loading.js'),
      import('./training.js'),
      import('./training-result.js'),
    ]);
    const isFirst = world.rank === 0;
    const data = await loadData(config.data, { isQuiet: !isFirst });
    const result = await trainWithProgress(config, data, { resume: folder, world });
    if (isFirst) printResult(result, data, { json });
  });
}
