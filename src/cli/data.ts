import { join } from 'node:path';
import { Argument, type Command } from 'commander';
import type { FetchOptions, FetchProgress } from '../data/fetch.js';
import type { Progress } from './progress.js';

export function define(command: Command): void {
  command
    .command('list')
    .summary('the known data sets: what they are, and where they are on this machine')
    .description('List the known data sets: what they are, and where they are on this machine.')
    .option('--json', 'print JSON, with classes, terms of use and files')
    .action(list);
  command
    .command('fetch')
    .summary('download a data set from its publisher')
    .description(
      'Download a data set from its publisher and check its SHA-256; continues where it was interrupted.',
    )
    .argument('<name>', 'one of "featmatch data list"')
    .option('--folder <folder>', 'where to put the files (default: where training looks for them)')
    .option(
      '--domains <names...>',
      'of a data set of several domains only these (default: those usually trained on)',
    )
    .action(fetch);
  command
    .command('inspect')
    .summary('what is in a folder or list of your own images, and what is wrong with it')
    .description(
      'Show classes, sizes, broken files, and images that stand there twice, of a folder or list of your own images.',
    )
    .argument('<folder>', 'folder of classes, or a CSV or JSONL list')
    .option('--contact-sheet <file>', 'write a PNG with some images of each class')
    .option('--json', 'print JSON')
    .action(inspect);
  command
    .command('build')
    .summary('draw the data set emoji-styles: the same things in six styles')
    .description(
      'Draw the data set emoji-styles from npm packages: artwork of the same things in six styles.',
    )
    .addArgument(new Argument('<name>', 'the data set').choices(['emoji-styles']))
    .option('--side <pixels>', 'side of the images', '64')
    .option('--folder <folder>', 'where to put the images (default: where training looks for them)')
    .action(build);
}

async function build(name: string, { side, folder }: { side: string; folder?: string }): Promise<void> {
  const [{ buildEmojiStyles }, { cacheRoot }, { createProgress }] = await Promise.all([
    import('../data/emoji-styles/build.js'),
    import('../data/locate.js'),
    import('./progress.js'),
  ]);
  const destination = folder ?? join(cacheRoot(), name);
  let bar: Progress | undefined;
  const onProgress = (drawn: number, total: number) => {
    bar ??= createProgress({ label: 'images', total, start: 0, format: String });
    bar.update(drawn);
  };
  const options = { folder: destination, side: Number(side), packagesFrom: process.cwd(), onProgress };
  const { classes, domains, images } = await buildEmojiStyles(options).finally(() => bar?.stop());
  process.stdout.write(
    `${images} images of ${classes.length} classes in the styles ${domains.join(', ')} are in ${destination}\n`,
  );
}

async function inspect(
  folder: string,
  { contactSheet, json }: { contactSheet?: string; json?: true },
): Promise<void> {
  const [{ inspectFolder }, { decodingProgress }, { formatReport }] = await Promise.all([
    import('../data/folder/inspect.js'),
    import('./data-loading.js'),
    import('./folder-report.js'),
  ]);
  const report = await decodingProgress((onProgress) => inspectFolder(folder, { contactSheet, onProgress }));
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report));
}

async function list({ json }: { json?: true }): Promise<void> {
  const { catalog } = await import('../data/catalog/index.js');
  const { datasetNames } = await import('../data/catalog/names.js');
  const { findDataset, howToGet } = await import('../data/locate.js');
  const sets = datasetNames.map((name) => ({ name, ...catalog[name], found: findDataset(name) }));
  if (json) {
    process.stdout.write(`${JSON.stringify(sets, null, 2)}\n`);
    return;
  }
  const [{ formatTable }, { formatBytes }] = await Promise.all([import('./table.js'), import('./format.js')]);
  const right = 'right' as const;
  const columns = [
    { title: 'name' },
    { title: 'training', align: right },
    { title: 'test', align: right },
    { title: 'classes', align: right },
    { title: 'size' },
    { title: 'what' },
    { title: 'where' },
  ];
  const rows = sets.map(({ name, title, train, test, classes, height, width, download, found }) => {
    const bytes = download?.files.reduce((total, file) => total + file.bytes, 0);
    const where = found ?? `not here: get it by ${howToGet(name)}${bytes ? ` (${formatBytes(bytes)})` : ''}`;
    return [
      name,
      String(train),
      String(test),
      String(typeof classes === 'number' ? classes : classes.length),
      `${height}×${width}`,
      title,
      where,
    ];
  });
  process.stdout.write(formatTable(columns, rows));
}

async function fetch(name: string, options: Pick<FetchOptions, 'folder' | 'domains'>): Promise<void> {
  const [{ fetchDataset }, { catalogEntry }, { createProgress }, { formatBytes }] = await Promise.all([
    import('../data/fetch.js'),
    import('../data/locate.js'),
    import('./progress.js'),
    import('./format.js'),
  ]);
  const { title, terms } = catalogEntry(name);
  process.stderr.write(`${title}; terms of use: ${terms}\n`);
  let current: { label: string; bar: Progress } | undefined;
  const onProgress = ({ file, stage, received, total }: FetchProgress) => {
    const label = stage === 'unpack' ? `${file}, files unpacked` : file;
    if (current?.label !== label) {
      current?.bar.stop();
      const format = stage === 'unpack' ? String : formatBytes;
      current = { label, bar: createProgress({ label, total, start: received, format }) };
    }
    current.bar.update(received);
  };
  try {
    const destination = await fetchDataset(name, { ...options, onProgress });
    current?.bar.stop();
    process.stdout.write(`${name} is complete in ${destination}\n`);
  } finally {
    current?.bar.stop();
  }
}
