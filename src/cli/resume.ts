import type { Command } from 'commander';

export function define(command: Command): void {
  command.argument('<run>', 'run folder').option('--json', 'print the result as JSON').action(resume);
}

async function resume(folder: string, { json }: { json?: true }): Promise<void> {
  const [{ resolveConfig }, { readUnfinishedRun, runPaths }] = await Promise.all([
    import('../config/index.js'),
    import('../runs/index.js'),
  ]);
  readUnfinishedRun(folder); // before anything that takes time
  const config = resolveConfig({ file: runPaths(folder).config });
  const [{ loadData }, { trainWithProgress }, { printResult }] = await Promise.all([
    import('./data-loading.js'),
    import('./training.js'),
    import('./training-result.js'),
  ]);
  const data = await loadData(config.data);
  printResult(await trainWithProgress(config, data, { resume: folder }), data, { json });
}
