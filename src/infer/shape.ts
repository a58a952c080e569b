/**
 * Says what a JSON document must look like and checks one, in the manner of zod and in as much as model.json needs.
 * Loading zod alone takes 60 ms of processor time, an eighth of what a process took to its first answer.
 */

/** What is wrong with a value, "path: reason"; undefined where nothing is. `T`: the type of the values that are right. */
export type Shape<T> = ((value: unknown, path: readonly (string | number)[]) => string | undefined) & {
  readonly type?: T;
};

/** The values that a shape allows. */
export type ValueOf<S> = S extends Shape<infer T> ? T : never;

type Shapes = Readonly<Record<string, Shape<unknown>>>;

function shape<T>(isRight: (value: unknown) => boolean, expected: string): Shape<T> {
  return (value, path) =>
    isRight(value) ? undefined : `${path.join('.') || 'its content'}: expected ${expected}`;
}

export function string(pattern = /^/, expected = 'text'): Shape<string> {
  return shape((value) => typeof value === 'string' && pattern.test(value), expected);
}

/** A finite number. @param range least and greatest */
export function number(range?: readonly [number, number]): Shape<number> {
  const [least, greatest] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return shape(
    (value) => Number.isFinite(value) && (value as number) >= least && (value as number) <= greatest,
    range ? `a number from ${least} to ${greatest}` : 'a number',
  );
}

/** A whole number. @param range least and greatest */
export function integer([least, greatest] = [0, Number.MAX_SAFE_INTEGER]): Shape<number> {
  return shape(
    (value) => Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= greatest,
    `a whole number from ${least} to ${greatest}`,
  );
}

export function oneOf<const T extends string | number>(...values: readonly T[]): Shape<T> {
  return shape(
    (value) => values.includes(value as T),
    values.map((value) => JSON.stringify(value)).join(' or '),
  );
}

export function nullable<T>(inner: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? undefined : inner(value, path));
}

export function array<T>(item: Shape<T>): Shape<T[]> {
  const isArray = shape(Array.isArray, 'a list');
  return (value, path) =>
    isArray(value, path) ?? first(value as unknown[], (one, i) => item(one, [...path, i]));
}

/** An object with these keys; it may have others, of which nothing is known. */
export function object<S extends Shapes>(fields: S): Shape<{ [Key in keyof S]: ValueOf<S[Key]> }> {
  const isObject = shape(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'an object',
  );
  return (value, path) =>
    isObject(value, path) ??
    first(Object.entries(fields), ([key, field]) =>
      field((value as Record<string, unknown>)[key], [...path, key]),
    );
}

/** The first problem of several. */
function first<T>(
  items: readonly T[],
  check: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const problem = check(item, index);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
