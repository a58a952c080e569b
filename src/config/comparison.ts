/**
 * A comparison: algorithms × numbers of labels × seeds, each training at the same cost, described by a JSON file, by
 * flags, or by a file and flags on top.
 *
 *     {
 *       "passes": 48000,
 *       "seeds": [0, 1, 2],
 *       "labels": [40, 100],
 *       "settings": { "preset": "mnist" },
 *       "algorithms": {
 *         "fixmatch": {},
 *         "fixmatch-augf": { "algorithm": { "name": "fixmatch", "augmentation": {} }, "chosen": "as FeatMatch's" }
 *       }
 *     }
 *
 * It is a sweep whose steps follow from the cost of a step. Cost is counted in image passes: an image that goes forward
 * and backward through the network is one pass. One that goes forward alone, to be guessed, is a third, since going
 * backward takes about two products of the size of each forward one. Not counted: evaluation, and what FeatMatch's
 * prototypes take, which is a pass over the labeled images once in hundreds of steps and k-means.
 */
import { z } from 'zod';
import { InputError } from '../errors.js';
import { algorithmOf, algorithms } from '../ssl/index.js';
import { assignmentLayer, fileLayer } from './layers.js';
import { isRecord, merge, type Values } from './merge.js';
import { nearest } from './nearest.js';
import type { Config } from './schema.js';
import {
  expandSweep,
  parseDescription,
  partialSettings,
  type SweepRun,
  seedList,
  variantName,
} from './sweep.js';

const GUESSING_COST = 1 / 3;

/** `steps` follow from `passes`. */
const settings = partialSettings.extend({
  steps: z.never('they follow from passes: leave them out').optional(),
});

const comparisonSchema = z.strictObject({
  passes: z.int().positive(),
  seeds: seedList,
  labels: z.array(z.int().positive()).min(1),
  settings: settings.default({}),
  algorithms: z
    .record(variantName, settings.extend({ chosen: z.string().optional() }))
    .refine((rows) => Object.keys(rows).length > 0, 'expected one at least'),
});

/** What flags say, on top of a file. */
export interface ComparisonChanges {
  readonly preset?: string;
  /** settings of all rows, `key=value` */
  readonly sets?: readonly string[];
  readonly passes?: number;
  readonly seeds?: readonly number[];
  readonly labels?: readonly number[];
  /** rows of the file, or algorithms as they are */
  readonly algorithms?: readonly string[];
}

/** One algorithm with one number of labels. */
export interface ComparisonRow {
  readonly name: string;
  readonly labels: number;
  /** how its hyper-parameters were chosen */
  readonly chosen: string;
  /** those that it does not share with the others, `algorithm.temperature=1` */
  readonly settings: readonly string[];
  /** one for each seed */
  readonly runs: readonly SweepRun[];
}

export interface Comparison {
  readonly passes: number;
  readonly seeds: readonly number[];
  readonly rows: readonly ComparisonRow[];
  /** of all rows, the first seed of each before any second */
  readonly runs: readonly SweepRun[];
}

/**
 * @param path of the file; undefined: flags alone
 * @throws InputError where the file cannot be read, something is missing, or a configuration is not valid
 */
export function readComparison(path: string | undefined, changes: ComparisonChanges = {}): Comparison {
  const source = path ?? 'the command line';
  const { passes, seeds, labels, settings, algorithms: rows } = describe(path, changes);
  const runs = expandSweep(
    {
      seeds,
      settings,
      vary: {
        labels: Object.fromEntries(labels.map((count) => [`${count}`, { data: { labels: count } }])),
        algorithm: Object.fromEntries(
          Object.entries(rows).map(([name, { chosen: _, ...own }]) => [name, named(name, own)]),
        ),
      },
    },
    source,
  ).map((run) => ({ ...run, config: withSteps(run, passes) }));
  return {
    passes,
    seeds,
    runs,
    rows: labels.flatMap((count) =>
      Object.entries(rows).map(([name, { chosen = 'defaults', ...own }]) => ({
        name,
        labels: count,
        chosen,
        settings: listValues(own),
        runs: runs.filter(({ variants }) => variants[0] === `${count}` && variants[1] === name),
      })),
    ),
  };
}

type Description = z.output<typeof comparisonSchema>;

function describe(path: string | undefined, changes: ComparisonChanges): Description {
  const { preset, sets = [], algorithms: names, ...given } = changes;
  const file: Values = path === undefined ? {} : fileLayer(path).values;
  const shared = preset === undefined ? Object(file.settings) : { ...Object(file.settings), preset };
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const values = {
    ...file,
    ...said,
    settings: sets.map((assignment) => assignmentLayer(assignment).values).reduce(merge, shared),
    ...(names === undefined ? {} : { algorithms: choose(names, Object(file.algorithms)) }),
  };
  const complaint = path === undefined ? 'the comparison is not complete' : `${path} is not a comparison`;
  return parseDescription(comparisonSchema, values, complaint);
}

/** The rows of these names; where the file has none of a name, the algorithm as it is. */
function choose(names: readonly string[], rows: Values): Values {
  return Object.fromEntries(
    names.map((name) => {
      if (Object.hasOwn(rows, name)) return [name, rows[name]];
      if (Object.hasOwn(algorithms, name)) return [name, {}];
      const meant = nearest(name, [...Object.keys(rows), ...Object.keys(algorithms)]);
      throw new InputError(
        `there is no algorithm '${name}'${meant ? `; did you mean '${meant}'?` : ''} ("featmatch algorithms" lists them)`,
      );
    }),
  );
}

/** A row is named as its algorithm where it does not name one. */
function named(name: string, { algorithm, ...own }: z.output<typeof partialSettings>) {
  return { ...own, algorithm: { name, ...Object(algorithm) } };
}

function listValues(values: Values, prefix = ''): string[] {
  return Object.entries(values).flatMap(([key, value]) =>
    isRecord(value) ? listValues(value, `${prefix}${key}.`) : [`${prefix}${key}=${JSON.stringify(value)}`],
  );
}

function withSteps({ name, config }: SweepRun, passes: number): Config {
  const steps = Math.round(passes / passesOfStep(config));
  if (steps === 0) throw new InputError(`${passes} passes are less than one step of ${name}`);
  return { ...config, steps };
}

/** Image passes of one training step. */
export function passesOfStep({ algorithm: options, batch }: Pick<Config, 'algorithm' | 'batch'>): number {
  const { labeled, unlabeled } = algorithmOf(options).passes(options);
  return (
    batch.labeled * (labeled.learning + GUESSING_COST * labeled.guessing) +
    batch.unlabeled * (unlabeled.learning + GUESSING_COST * unlabeled.guessing)
  );
}
