import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { settingLayer } from './layers.js';
import { presets } from './presets.js';
import { type ConfigSources, resolveConfig } from './resolve.js';
import { type Config, configSchema } from './schema.js';
import { listSettings } from './settings.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function writeConfig(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** The sentence that a configuration is refused with. */
function refusal(sources: ConfigSources): string {
  try {
    resolveConfig(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error('the configuration was accepted');
}

/** A setting that featmatch has and supervised has not, with its default. */
const [ofFeatmatch] = listSettings().filter(
  ({ key, variant }) =>
    variant === 'featmatch' &&
    !listSettings().some((other) => other.key === key && other.variant === 'supervised'),
);
const ofFeatmatchAssignment = `${ofFeatmatch.key}=${JSON.stringify(ofFeatmatch.default)}`;

describe('the layers of a configuration', () => {
  it('override one another: defaults, preset, file, given values, flags, --set', () => {
    const file = writeConfig('layers.json', {
      data: { labels: 200 },
      seed: 1,
      steps: 1,
      logEvery: 1,
      saveEvery: 1,
    });
    const config = resolveConfig({
      preset: 'fashion-mnist',
      file,
      values: { seed: 2, steps: 2, logEvery: 2 },
      flags: [settingLayer('steps', '3', '--steps'), settingLayer('logEvery', '3', '--log')],
      sets: ['logEvery=4'],
    });
    expect(config).toMatchObject({ saveEvery: 1, seed: 2, steps: 3, logEvery: 4 });
    expect(config.data).toEqual({ ...resolveConfig().data, name: 'fashion-mnist', labels: 200 });
  });

  it('may change one option of an algorithm or model without naming it', () => {
    expect(resolveConfig({ sets: ['model.width=2'] }).model).toMatchObject({
      name: 'wide-resnet',
      depth: 10,
      width: 2,
    });
    expect(resolveConfig({ sets: [ofFeatmatchAssignment] }).algorithm.name).toBe('featmatch');
  });

  it('leave nothing of an algorithm that a later one replaces', () => {
    const file = writeConfig('featmatch.json', resolveConfig());
    const { algorithm } = resolveConfig({ file, sets: ['algorithm.name=supervised'] });
    expect(algorithm).toEqual(resolveConfig({ values: { algorithm: { name: 'supervised' } } }).algorithm);
  });

  it('leave what a program gives as undefined as it was', () => {
    expect(
      resolveConfig({ preset: 'fashion-mnist', values: { data: { labels: undefined } } }).data.labels,
    ).toBe(100);
  });

  it('take text, numbers, booleans and null from the command line', () => {
    const { data, views, optimizer } = resolveConfig({
      sets: ['data.folder=a=b', 'views.flip=true', 'views.cropPadding=null', 'optimizer.weightDecay=1e-3'],
    });
    expect([data.folder, views.flip, views.cropPadding, optimizer.weightDecay]).toEqual([
      'a=b',
      true,
      null,
      1e-3,
    ]);
  });

  it('give back a resolved configuration unchanged, so that a run can be repeated from its config.json', () => {
    const config = resolveConfig({ preset: 'fashion-mnist', sets: ['algorithm.name=supervised', 'steps=7'] });
    expect(resolveConfig({ file: writeConfig('resolved.json', config) })).toEqual(config);
  });
});

describe('a configuration is refused in one sentence', () => {
  it.each<[string, ConfigSources, string]>([
    [
      'for an unknown preset',
      { preset: 'mnits' },
      `there is no preset 'mnits'; did you mean 'mnist'? ("featmatch train --help" lists them)`,
    ],
    [
      'for a misspelled key',
      { sets: ['optimizer.learningrate=1'] },
      'unknown setting optimizer.learningrate (in --set optimizer.learningrate=1); did you mean optimizer.learningRate?',
    ],
    [
      'for a key in the wrong place',
      { flags: [settingLayer('weightDecay', '1', '--weight-decay')] },
      'unknown setting weightDecay (in --weight-decay); did you mean optimizer.weightDecay?',
    ],
    [
      'for an option of another algorithm',
      { sets: ['algorithm.name=supervised', ofFeatmatchAssignment] },
      `unknown setting ${ofFeatmatch.key} (in --set ${ofFeatmatchAssignment}); it is one of featmatch`,
    ],
    ['for a key unlike any other', { sets: ['xyzzy=1'] }, 'unknown setting xyzzy (in --set xyzzy=1)'],
    [
      'for a key of the language',
      { sets: ['__proto__.steps=1'] },
      'unknown setting __proto__ (in --set __proto__',
    ],
    [
      'for a wrong type',
      { sets: ['steps=many'] },
      'steps cannot be "many" (in --set steps=many): expected number',
    ],
    [
      'for a number out of range',
      { sets: ['ema.decay=1'] },
      'ema.decay cannot be 1 (in --set ema.decay=1): expected',
    ],
    [
      'for an impossible depth',
      { sets: ['model.depth=12'] },
      'model.depth cannot be 12 (in --set model.depth=12): exp',
    ],
    [
      'for an unknown name',
      { sets: ['algorithm.name=magic'] },
      "algorithm.name cannot be \"magic\" (in --set algorithm.name=magic): expected 'supervised' | 'featmatch'",
    ],
    [
      'for a value where settings belong',
      { sets: ['data=3'] },
      'data cannot be 3 (in --set data=3): expected object',
    ],
    [
      'for settings where a value belongs',
      { sets: ['steps.a=3'] },
      'steps cannot be {"a":3} (in --set steps.a=3)',
    ],
    [
      'for no assignment',
      { sets: ['steps'] },
      "--set takes key=value, for example optimizer.learningRate=0.1, not 'steps'",
    ],
    [
      'for no key',
      { sets: ['=1'] },
      "--set takes key=value, for example optimizer.learningRate=0.1, not '=1'",
    ],
    [
      'for a missing file',
      { file: '/no/such.json' },
      'the configuration file /no/such.json cannot be read: ENOENT',
    ],
  ])('%s', (_why, sources, sentence) => {
    expect(refusal(sources)).toContain(sentence);
  });

  it('that names the file', () => {
    expect(refusal({ file: writeConfig('broken.json', '{"steps": }') })).toMatch(
      /broken\.json is not JSON: /,
    );
    expect(refusal({ file: writeConfig('list.json', []) })).toMatch(
      /list\.json does not hold a JSON object$/,
    );
    expect(refusal({ file: writeConfig('wrong.json', { steps: 0 }) })).toMatch(
      /^steps cannot be 0 \(in .*wrong\.json\)/,
    );
  });

  it('that names the layer on top, where several set the same', () => {
    const file = writeConfig('below.json', { steps: 5 });
    expect(refusal({ file, sets: ['steps=0'] })).toContain('(in --set steps=0)');
  });

  it('that names the first three mistakes and counts the others', () => {
    expect(refusal({ sets: ['a1=1', 'b2=1', 'c3=1', 'd4=1', 'e5=1'] })).toMatch(
      /^(unknown setting .*; ){3}and 2 more$/,
    );
  });
});

describe('the schema', () => {
  it('describes every setting', () => {
    expect(listSettings().filter(({ description }) => description === '')).toEqual([]);
  });

  it('has a default for everything but the folder', () => {
    const withoutDefault = listSettings()
      .filter((setting) => setting.default === undefined)
      .map(({ key }) => key);
    expect(new Set(withoutDefault)).toEqual(new Set(['algorithm.name', 'model.name', 'data.folder']));
    const config: Config = configSchema.parse({});
    expect(config).toEqual(resolveConfig());
  });

  it.each(Object.keys(presets))('accepts the preset %s', (preset) => {
    expect(() => resolveConfig({ preset })).not.toThrow();
  });
});
