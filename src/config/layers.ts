/**
 * A configuration is made of layers, each changing some settings: defaults, preset, file, command line. A layer remembers
 * where it came from, so that an error can say it.
 */
import { readFileSync } from 'node:fs';
import { InputError } from '../errors.js';
import { isRecord, merge, type Values } from './merge.js';
import { nearest } from './nearest.js';
import { presets } from './presets.js';
import { DEFAULT_NAMES } from './schema.js';

export interface ConfigLayer {
  /** Where the values come from, as one would say it after "in": `--steps`, `run.json`. */
  readonly source: string;
  readonly values: Values;
}

/** @throws {InputError} for an unknown name */
export function presetLayer(name: string): ConfigLayer {
  if (!Object.hasOwn(presets, name)) {
    const meant = nearest(name, Object.keys(presets));
    throw new InputError(
      `there is no preset '${name}'${meant ? `; did you mean '${meant}'?` : ''} ("featmatch train --help" lists them)`,
    );
  }
  return { source: `preset ${name}`, values: presets[name as keyof typeof presets] };
}

/** Settings from a JSON file. @throws {InputError} where it cannot be read or is not a JSON object */
export function fileLayer(path: string): ConfigLayer {
  let values: unknown;
  try {
    values = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const problem = error instanceof SyntaxError ? 'is not JSON' : 'cannot be read';
    throw new InputError(`the configuration file ${path} ${problem}: ${reason}`, { cause: error });
  }
  if (!isRecord(values)) throw new InputError(`the configuration file ${path} does not hold a JSON object`);
  return { source: path, values };
}

/**
 * `optimizer.learningRate=0.1`: the value is JSON where it can be read as such, else text.
 * @throws {InputError} where it is not a key and a value
 */
export function assignmentLayer(assignment: string): ConfigLayer {
  const equals = assignment.indexOf('=');
  if (equals < 1) {
    throw new InputError(
      `--set takes key=value, for example optimizer.learningRate=0.1, not '${assignment}'`,
    );
  }
  const source = `--set ${assignment}`;
  return settingLayer(assignment.slice(0, equals), assignment.slice(equals + 1), source);
}

/** One setting as typed on the command line. The value is JSON where it can be read as such, else text. */
export function settingLayer(key: string, value: string, source: string): ConfigLayer {
  const [outermost, ...inner] = key.split('.');
  const innerValue = inner.reduceRight<unknown>(
    (nested, name) => ownProperty(name, nested),
    parseValue(value),
  );
  return { source, values: ownProperty(outermost, innerValue) };
}

/**
 * Puts groups of layers on top of each other, the last on top: objects merge, everything else replaces. Where a group
 * names another algorithm or model than those below it, their settings for that other one are dropped; within a group
 * (the command line, say) nothing is, so that a contradiction in it is found.
 */
export function mergeLayers(groups: readonly (readonly ConfigLayer[])[]): Values {
  const merged = groups
    .map((group) => group.map(({ values }) => values).reduce(merge, {}))
    .reduce((below, above) => merge(dropOtherVariants(below, above), above), {});
  const names = Object.entries(DEFAULT_NAMES).map(([key, name]) => [key, { name }]);
  return merge(Object.fromEntries(names), merged);
}

/** Whether `values` have something at this path. */
export function isSet(values: unknown, path: readonly PropertyKey[]): boolean {
  return path.every((key, depth) => {
    const parent = valueAt(values, path.slice(0, depth));
    return isRecord(parent) && Object.hasOwn(parent, key);
  });
}

/** What `values` have at this path; undefined where there is nothing. */
export function valueAt(values: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((value, key) => (isRecord(value) ? value[String(key)] : undefined), values);
}

/** `below` without its algorithm or model where `above` names another. */
function dropOtherVariants(below: Values, above: Values): Values {
  const kept = Object.entries(below).filter(([key, value]) => {
    if (!Object.hasOwn(DEFAULT_NAMES, key)) return true;
    const defaultName = DEFAULT_NAMES[key as keyof typeof DEFAULT_NAMES];
    const name = nameOf(above[key]);
    return name === undefined || name === (nameOf(value) ?? defaultName);
  });
  return Object.fromEntries(kept);
}

function nameOf(value: unknown): unknown {
  return isRecord(value) ? value.name : undefined;
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function ownProperty(key: string, value: unknown): Values {
  return Object.fromEntries([[key, value]]);
}
