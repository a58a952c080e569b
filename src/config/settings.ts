/** What the schema says of each setting, as a flat list: for help texts, documentation and suggestions. */
import { z } from 'zod';
import { type Config, configSchema } from './schema.js';

/** The keys that some configuration has: `seed`, `data.labels`, `algorithm.name`, … */
export type SettingKey = KeysOf<Config>;

type KeysOf<T> = T extends unknown
  ? {
      [K in keyof T & string]-?: NonNullable<T[K]> extends object ? `${K}.${KeysOf<NonNullable<T[K]>>}` : K;
    }[keyof T & string]
  : never;

export interface Setting {
  /** For example `optimizer.learningRate`. */
  readonly key: string;
  readonly description: string;
  /** Undefined where a setting has none. */
  readonly default: unknown;
  /** The algorithm or model that it belongs to, where it belongs to one. */
  readonly variant: string | undefined;
}

/** The part of JSON Schema that zod writes for configurations. */
interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  oneOf?: JsonSchema[];
  description?: string;
  default?: unknown;
  const?: unknown;
}

/** All settings in the order of the schema. */
export function listSettings(): Setting[] {
  return settingsOf(z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema, '', undefined);
}

/** The keys that may be set, sections included, given which algorithm and model `values` name. */
export function settingKeys(values: unknown): string[] {
  const named = new Set(
    Object.values(Object(values) as Record<string, unknown>).map((value) => Object(value).name as unknown),
  );
  const keys = listSettings()
    .filter(({ variant }) => variant === undefined || named.has(variant))
    .map(({ key }) => key);
  const sections = keys.filter((key) => key.includes('.')).map((key) => key.slice(0, key.lastIndexOf('.')));
  return [...new Set([...keys, ...sections])];
}

function settingsOf(schema: JsonSchema, prefix: string, variant: string | undefined): Setting[] {
  if (schema.oneOf) {
    return schema.oneOf.flatMap((option) =>
      settingsOf(option, prefix, String(option.properties?.name.const)),
    );
  }
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = prefix + name;
    if (property.properties || property.oneOf) return settingsOf(property, `${key}.`, variant);
    const description = property.description ?? '';
    return [{ key, description, default: property.default, variant }];
  });
}
