/** The options that configure a training run, shared by the commands that train. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config, SettingKey } from '../config/index.js';
import { type DatasetName, datasetNames, OWN_IMAGES } from '../data/catalog/names.js';
import { InputError } from '../errors.js';

/** Options that stand for one setting. */
const SETTING_OPTIONS = {
  algorithm: ['algorithm.name', '<name>', 'name of the algorithm; the settings below tell which there are'],
  data: [
    'data.name',
    '<name or folder>',
    'data set ("featmatch data list"), or a folder or list of your own images',
  ],
  labels: ['data.labels', '<count>', 'labeled images in all'],
  labelsPerClass: ['data.labelsPerClass', '<count>', 'labeled images of each class'],
  seed: ['seed', '<number>', 'what everything random derives from'],
  steps: ['steps', '<count>', 'training steps'],
  device: ['device', '<name>', 'where to compute: cpu, cuda or cuda:<index>'],
} as const satisfies Record<string, readonly [key: SettingKey, value: string, description: string]>;

type SettingOption = keyof typeof SETTING_OPTIONS;

export interface ConfigOptions extends Partial<Record<SettingOption, string>> {
  preset?: string;
  config?: string;
  set?: string[];
}

/** Adds `--preset`, `--config`, `--set` and the options that stand for a setting. */
export function addConfigOptions(command: Command): Command {
  command
    .option('--preset <name>', 'start from a preset')
    .option('--config <file>', "start from a JSON file, such as a run's config.json")
    .option(
      '--set <key=value>',
      'change a setting, for example optimizer.learningRate=0.1; repeatable',
      collect,
    );
  for (const [name, [key, value, description]] of Object.entries(SETTING_OPTIONS)) {
    command.option(`--${flagOf(name)} ${value}`, `${description} (--set ${key}=…)`);
  }
  return command;
}

/**
 * The configuration that the options ask for.
 * @throws {InputError} for an unknown preset or setting, a wrong value, and a file that cannot be read
 */
export async function configOf(options: ConfigOptions): Promise<Config> {
  const { resolveConfig, settingLayer } = await import('../config/index.js');
  const flags = Object.entries(SETTING_OPTIONS).flatMap(([name, [key]]) => {
    const value = options[name as SettingOption];
    return value === undefined ? [] : [settingLayer(key, value, `--${flagOf(name)} ${value}`)];
  });
  const own = ownImagesOf(options);
  const preset = own === undefined ? options.preset : (options.preset ?? 'photos');
  return resolveConfig({ preset, file: options.config, flags: own ?? flags, sets: options.set });

  /** The flags where `--data` names a user's own images, and not a data set. */
  function ownImagesOf({ data, labels }: ConfigOptions) {
    if (data === undefined || datasetNames.includes(data as DatasetName)) return undefined;
    if (!existsSync(data)) {
      throw new InputError(
        `there is no data set '${data}', nor a folder or list of images; "featmatch data list" shows the data sets`,
      );
    }
    const source = `--data ${data}`;
    const values = {
      data: { name: OWN_IMAGES, folder: data, ...(labels === undefined ? { labels: null } : {}) },
    };
    return [{ source, values }, ...flags.filter(({ values }) => !('name' in Object(values.data)))];
  }
}

/** labelsPerClass → labels-per-class */
function flagOf(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Presets and all settings with defaults and meaning, for the end of a help text. */
export async function settingsHelp(): Promise<string> {
  const [{ listSettings, presets }, { formatTable }] = await Promise.all([
    import('../config/index.js'),
    import('./table.js'),
  ]);
  const rows = listSettings().map(({ key, description, variant, ...setting }) => [
    `  ${key}`,
    variant === undefined ? '' : variant,
    setting.default === undefined ? '' : JSON.stringify(setting.default),
    description,
  ]);
  const columns = ['  key', 'only for', 'default', 'meaning'].map((title) => ({ title }));
  return `\nPresets: ${Object.keys(presets).join(', ')}\n\nSettings for --set and files:\n${formatTable(columns, rows)}`;
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}
