/** From a preset, a file and the command line to one complete, checked configuration. */
import type { z } from 'zod';
import { InputError } from '../errors.js';
import {
  assignmentLayer,
  type ConfigLayer,
  fileLayer,
  isSet,
  mergeLayers,
  presetLayer,
  valueAt,
} from './layers.js';
import { nearest } from './nearest.js';
import { type Config, configSchema, type PartialConfig } from './schema.js';
import { listSettings, settingKeys } from './settings.js';

/** Later ones override earlier ones. */
export interface ConfigSources {
  preset?: string;
  /** Path of a JSON file; a run's `config.json` is one. */
  file?: string;
  /** Settings given by a program. */
  values?: PartialConfig;
  /** Command-line flags that stand for a setting. */
  flags?: readonly ConfigLayer[];
  /** `key=value`, for example `optimizer.learningRate=0.1`. */
  sets?: readonly string[];
}

/**
 * @throws {InputError} for an unknown preset or key (with the nearest known one), a value of a wrong type or range, and
 *   a file that cannot be read; it names the setting and where it was given
 */
export function resolveConfig({ preset, file, values, flags = [], sets = [] }: ConfigSources = {}): Config {
  return resolveLayers([
    preset === undefined ? [] : [presetLayer(preset)],
    file === undefined ? [] : [fileLayer(file)],
    values === undefined ? [] : [{ source: 'the given values', values }],
    [...flags, ...sets.map(assignmentLayer)],
  ]);
}

/** @param groups of layers, see mergeLayers @throws InputError as {@link resolveConfig} */
export function resolveLayers(groups: readonly (readonly ConfigLayer[])[]): Config {
  const merged = mergeLayers(groups);
  const result = configSchema.safeParse(merged);
  if (result.success) return result.data;
  const given = groups.flat().reverse();
  const problems = result.error.issues.flatMap((issue) => describeIssue(issue, given, merged));
  const more = problems.length > MAX_PROBLEMS ? `; and ${problems.length - MAX_PROBLEMS} more` : '';
  throw new InputError(problems.slice(0, MAX_PROBLEMS).join('; ') + more);
}

/** Told at once; a file that is something else altogether has many. */
const MAX_PROBLEMS = 3;

/** What is wrong, per setting; `given` holds the layers, the one on top first. */
function describeIssue(issue: z.core.$ZodIssue, given: readonly ConfigLayer[], merged: unknown): string[] {
  const sourceOf = (path: readonly PropertyKey[]) => {
    const layer = given.find((candidate) => isSet(candidate.values, path));
    return layer === undefined ? '' : ` (in ${layer.source})`;
  };
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => {
      const path = [...issue.path, name];
      const key = path.join('.');
      return `unknown setting ${key}${sourceOf(path)}${suggestion(key, merged)}`;
    });
  }
  // "Too small: expected number to be >=1" → "expected number to be >=1"
  const expected = issue.message.replace(/^[^:.]*[:.] *(?=expected)/i, '').replace(/^E/, 'e');
  const key = issue.path.length > 0 ? issue.path.join('.') : 'the configuration';
  return [
    `${key} cannot be ${JSON.stringify(valueAt(merged, issue.path))}${sourceOf(issue.path)}: ${expected}`,
  ];
}

/** Which known setting was meant: that of another algorithm, a similar key, or the same name in another place. */
function suggestion(key: string, merged: unknown): string {
  const elsewhere = listSettings().find((setting) => setting.key === key);
  if (elsewhere?.variant !== undefined) return `; it is one of ${elsewhere.variant}`;
  const known = settingKeys(merged);
  const name = key.slice(key.lastIndexOf('.') + 1);
  const sameName = known.find((candidate) => candidate.endsWith(`.${name}`) || candidate === name);
  const meant = sameName ?? nearest(key, known);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
