import type { Command } from 'commander';
import { addConfigOptions, type ConfigOptions, configOf, settingsHelp } from './train-options.js';

const PROFILED_STEPS = 20;

interface TrainCommandOptions extends ConfigOptions {
  output?: string;
  name?: string;
  profile?: true;
  json?: true;
}

export async function define(command: Command): Promise<void> {
  addConfigOptions(command)
    .option('--output <folder>', 'exactly this new folder for the run (default: a new one in runs/)')
    .option('--name <name>', "name in the run folder's name (default: algorithm, data set and labels)")
    .option(
      '--profile',
      `write what operators and loader did in ${PROFILED_STEPS} steps to profile.json in the run folder`,
    )
    .option('--json', 'print the result as JSON')
    .action(train);
  // Listing the settings takes loading their schema, so only those wait for it who ask.
  if (process.argv.some((argument) => ['-h', '--help', 'help'].includes(argument))) {
    command.addHelpText('after', await settingsHelp());
  }
}

async function train({ output, name, profile, json, ...options }: TrainCommandOptions): Promise<void> {
  const config = await configOf(options);
  const [{ loadData }, { trainWithProgress }, { printResult }] = await Promise.all([
    import('./data-loading.js'),
    import('./training.js'),
    import('./training-result.js'),
  ]);
  const data = await loadData(config.data);
  const profileSteps = profile ? PROFILED_STEPS : 0;
  printResult(await trainWithProgress(config, data, { folder: output, name, profileSteps }), data, { json });
}
