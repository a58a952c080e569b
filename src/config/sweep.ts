/**
 * A sweep: the same experiment with several seeds and settings, described by one JSON file.
 *
 *     {
 *       "seeds": [0, 1, 2],
 *       "settings": { "steps": 3000 },
 *       "vary": {
 *         "data": { "mnist-40": { "preset": "mnist", "data": { "labels": 40 } }, "mnist-100": … },
 *         "algorithm": { "featmatch": {}, "supervised": { "algorithm": { "name": "supervised" } } }
 *       }
 *     }
 *
 * Every combination of one variant of each kind is trained with every seed. Settings are written as in a configuration
 * file, beside which `preset` may stand; those of later kinds lie on top of those of earlier ones.
 */
import { z } from 'zod';
import { InputError } from '../errors.js';
import { type ConfigLayer, fileLayer, presetLayer } from './layers.js';
import { resolveLayers } from './resolve.js';
import type { Config } from './schema.js';

/** Of a variant: a part of the names of run folders. */
export const variantName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "expected letters, digits, '.', '_' and '-'");
/** Some settings, and what they lie on; checked when all are known. */
export const partialSettings = z.looseObject({ preset: z.string().optional() });
export const seedList = z.array(z.int().nonnegative()).min(1);
const sweepSchema = z.strictObject({
  seeds: seedList,
  settings: partialSettings.default({}),
  vary: z.record(variantName, z.record(variantName, partialSettings)).default({}),
});

/** One training of a sweep. */
export interface SweepRun {
  /** `mnist-40-featmatch-seed-0` */
  readonly name: string;
  /** the variants that it combines */
  readonly variants: readonly string[];
  readonly seed: number;
  readonly config: Config;
}

/**
 * All trainings of a sweep, every combination with the first seed before any with the second.
 * @throws InputError where the file cannot be read, is not such a description, or one of its configurations is not valid
 */
export function readSweep(path: string): SweepRun[] {
  return expandSweep(parseDescription(sweepSchema, fileLayer(path).values, `${path} is not a sweep`), path);
}

/** @param complaint what is said before what is wrong @throws InputError */
export function parseDescription<Schema extends z.ZodType>(
  schema: Schema,
  values: unknown,
  complaint: string,
): z.output<Schema> {
  const { data, error } = schema.safeParse(values);
  if (data !== undefined) return data;
  const [issue] = error?.issues ?? [];
  throw new InputError(`${complaint}: ${issue?.path.join('.') || 'its content'}: ${issue?.message}`);
}

/** @param path where it is from, for errors @throws InputError where one of its configurations is not valid */
export function expandSweep(sweep: z.output<typeof sweepSchema>, path: string): SweepRun[] {
  const base = layersOf(sweep.settings, `settings of ${path}`);
  const combinations = Object.entries(sweep.vary).reduce<Combination[]>(
    (before, [kind, variants]) =>
      before.flatMap(({ names, groups }) =>
        Object.entries(variants).map(([variant, own]) => ({
          names: [...names, variant],
          groups: [...groups, ...layersOf(own, `${kind} ${variant} of ${path}`)],
        })),
      ),
    [{ names: [], groups: base }],
  );
  return sweep.seeds.flatMap((seed) =>
    combinations.map(({ names, groups }) => ({
      name: [...names, `seed-${seed}`].join('-'),
      variants: names,
      seed,
      config: resolveLayers([...groups, [{ source: `seeds of ${path}`, values: { seed } }]]),
    })),
  );
}

interface Combination {
  readonly names: readonly string[];
  readonly groups: readonly (readonly ConfigLayer[])[];
}

function layersOf({ preset, ...values }: z.output<typeof partialSettings>, source: string): ConfigLayer[][] {
  return [...(preset === undefined ? [] : [[presetLayer(preset)]]), [{ source, values }]];
}
