import type { Config } from './schema.js';

/**
 * Every setting in which two configurations differ: `optimizer.learningRate: 0.1 here, 0.06 there`. Of two algorithms or
 * models, whose settings have little in common, the names alone.
 */
export function describeDifferences(here: Config, there: Config): string[] {
  return differencesOf({ ...here }, { ...there }, '');
}

type Values = Readonly<Record<string, unknown>>;

function differencesOf(here: Values, there: Values, prefix: string): string[] {
  const isOther = here.name !== there.name;
  const keys = isOther && prefix !== '' ? ['name'] : Object.keys({ ...here, ...there });
  return keys.flatMap((name) => {
    const [ours, theirs] = [here[name], there[name]];
    if (isRecord(ours) && isRecord(theirs)) return differencesOf(ours, theirs, `${prefix}${name}.`);
    const [our, their] = [ours, theirs].map((value) => JSON.stringify(value) ?? 'nothing');
    return our === their ? [] : [`${prefix}${name}: ${our} here, ${their} there`];
  });
}

function isRecord(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
