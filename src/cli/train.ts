import type { Command } from 'commander';
import { addConfigOptions, type ConfigOptions, configOf, settingsHelp } from './train-options.js';

interface TrainCommandOptions extends ConfigOptions {
  output?: string;
  name?: string;
  json?: true;
}

export async function define(command: Command): Promise<void> {
  addConfigOptions(command)
    .option('--output <folder>', 'exactly this new folder for the run (default: a new one in runs/)')
    .option('--name <name>', "name in the run folder's name (default: algorithm, data set and labels)")
    .option('--json', 'print the result as JSON')
    .action(train);
  // Listing the settings takes loading their schema, so only those wait for it who ask.
  if (process.argv.some((argument) => ['-h', '--help', 'help'].includes(argument))) {
    command.addHelpText('after', await settingsHelp());
  }
}

async function train({ output, name, json, ...options }: TrainCommandOptions): Promise<void> {
  const config = await configOf(options);
  const [{ loadData }, { trainWithProgress }, { formatPercent, formatDuration }] = await Promise.all([
    import('./data-loading.js'),
    import('./training.js'),
    import('./format.js'),
  ]);
  const data = await loadData(config.data);
  const result = await trainWithProgress(config, data, { folder: output, name });
  if (json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const { testAccuracy, validationAccuracy, trainingSeconds, folder } = result;
  const lines = [
    testAccuracy === null
      ? `test accuracy        – (${data.test === null ? 'there are no test images' : 'the test images were not looked at; "featmatch evaluate" does'})`
      : `test accuracy        ${formatPercent(testAccuracy)} of ${data.test?.count} images`,
    ...(validationAccuracy === null ? [] : [`validation accuracy  ${formatPercent(validationAccuracy)}`]),
    `training time        ${formatDuration(trainingSeconds)}`,
    `run folder           ${folder}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
