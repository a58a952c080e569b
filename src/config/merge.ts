/** Settings as nested objects, whose keys nothing is known of yet. */
export type Values = Record<string, unknown>;

/**
 * `above` on top of `below`: objects merge, everything else replaces; undefined changes nothing. Objects are made from
 * entries and never by assignment, since that gives `__proto__` a property of its own: so it is found and refused like
 * any other unknown key.
 */
export function merge(below: Values, above: Values): Values {
  const changes = Object.entries(above)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const old = Object.hasOwn(below, key) ? below[key] : undefined;
      return [key, isRecord(old) && isRecord(value) ? merge(old, value) : value] as const;
    });
  return Object.fromEntries([...Object.entries(below), ...changes]);
}

export function isRecord(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
