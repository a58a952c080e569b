import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { InputError } from '../errors.js';
import { addProcessesOption, inProcesses } from './processes.js';
import { addConfigOptions, type ConfigOptions, configOf, settingsHelp } from './train-options.js';

const PROFILED_STEPS = 20;

interface TrainCommandOptions extends ConfigOptions {
  output?: string;
  name?: string;
  profile?: true;
  resume?: true;
  processes?: number;
  json?: true;
}

export async function define(command: Command): Promise<void> {
  addProcessesOption(addConfigOptions(command))
    .option('--output <folder>', 'exactly this new folder for the run (default: a new one in runs/)')
    .option(
      '--resume',
      'with --output: go on with the run in that folder where there is one, as after a restart by torchrun or Slurm',
    )
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

async function train(given: TrainCommandOptions): Promise<void> {
  const { output, name, json, processes, profile, ...options } = given;
  if (options.resume && output === undefined) {
    throw new InputError(
      '--resume goes on with the run of --output, which is not given: say in which folder',
    );
  }
  const config = await configOf(options);
  await inProcesses(config, processes, async ({ world, restarts }) => {
    const [{ loadData }, { trainWithProgress }, { printResult }] = await Promise.all([
      import('./data-loading.js'),
      import('./training.js'),
      import('./training-result.js'),
    ]);
    const isFirst = world.rank === 0;
    const goesOn = (options.resume || restarts > 0) && output !== undefined && existsSync(output);
    if (restarts > 0 && output === undefined && isFirst) {
      process.stderr.write(
        'warning: this job was started anew, but without --output it is not known which run to go on with: a new one begins\n',
      );
    }
    const data = await loadData(config.data, { isQuiet: !isFirst });
    const folder = goesOn ? { resume: output } : { folder: output, name };
    const profileSteps = profile && isFirst ? PROFILED_STEPS : 0;
    const result = await trainWithProgress(config, data, { ...folder, world, profileSteps });
    if (isFirst) printResult(result, data, { json });
  });
}
