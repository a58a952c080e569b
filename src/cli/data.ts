import type { Command } from 'commander';
import type { FetchProgress } from '../data/fetch.js';
import type { Progress } from './progress.js';

export function define(command: Command): void {
  command
    .command('fetch')
    .summary('download a data set from its publisher')
    .description(
      'Download a data set from its publisher and check its SHA-256; continues where it was interrupted.',
    )
    .argument('<name>', 'mnist or fashion-mnist')
    .option('--folder <folder>', 'where to put the files (default: where training looks for them)')
    .action(fetch);
}

async function fetch(name: string, { folder }: { folder?: string }): Promise<void> {
  const [{ fetchDataset }, { createProgress }, { formatBytes }] = await Promise.all([
    import('../data/fetch.js'),
    import('./progress.js'),
    import('./format.js'),
  ]);
  let current: { file: string; bar: Progress } | undefined;
  const onProgress = ({ file, received, total }: FetchProgress) => {
    if (current?.file !== file) {
      current?.bar.stop();
      current = { file, bar: createProgress({ label: file, total, start: received, format: formatBytes }) };
    }
    current.bar.update(received);
  };
  try {
    const destination = await fetchDataset(name, { folder, onProgress });
    current?.bar.stop();
    process.stdout.write(`${name} is complete in ${destination}\n`);
  } finally {
    current?.bar.stop();
  }
}
