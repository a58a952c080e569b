/**
 * The lists of a data set of several domains, as DomainNet has them: a line for each image, which is its path
 * `<domain>/<class>/<file>` below the data set's folder, a space, and the number of its class.
 *
 * Source: http://ai.bu.edu/M3SDA/
 */

import { InputError } from '../../errors.js';

/** The images of a list; image i is on line i + 1. */
export interface DomainList {
  /** Names the list in error messages. */
  readonly path: string;
  readonly images: readonly string[];
  readonly labels: readonly number[];
}

const IMAGE = /^[^/]+\/[^/]+\/[^/]+$/;
const UPWARDS = /(^|\/)\.\.?\//;
const LABEL = /^\d{1,6}$/;

/** @throws InputError if a line is not a path and a label */
export function parseDomainList(file: Uint8Array, path: string): DomainList {
  const text = Buffer.from(file.buffer, file.byteOffset, file.length).toString('utf8');
  const images: string[] = [];
  const labels: number[] = [];
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end).trimEnd();
    const space = line.lastIndexOf(' ');
    const image = line.slice(0, Math.max(0, space));
    const label = line.slice(space + 1);
    if (!IMAGE.test(image) || UPWARDS.test(image) || !LABEL.test(label)) {
      throw new InputError(
        `${path}: line ${images.length + 1} is ${JSON.stringify(line.slice(0, 80))} instead of ` +
          '"<domain>/<class>/<file> <number of the class>"; get the file again or correct it',
      );
    }
    images.push(image);
    labels.push(Number(label));
    start = end + 1;
  }
  return { path, images, labels };
}

/**
 * The names of the classes, by their numbers: their folders' names.
 *
 * @throws InputError if a class has two names or a name two classes, or if a number between them has no image
 */
export function classNames(lists: readonly DomainList[]): string[] {
  const names = new Map<number, string>();
  const numbers = new Map<string, number>();
  for (const { path, images, labels } of lists) {
    images.forEach((image, i) => {
      const [, name] = image.split('/');
      const label = labels[i];
      if ((names.get(label) ?? name) !== name || (numbers.get(name) ?? label) !== label) {
        const before = names.has(label)
          ? `class ${label} was ${names.get(label)}`
          : `${name} was class ${numbers.get(name)}`;
        throw new InputError(
          `${path}: line ${i + 1} has ${name} as class ${label}, but ${before} before; take lists that belong together`,
        );
      }
      names.set(label, name);
      numbers.set(name, label);
    });
  }
  return Array.from({ length: names.size }, (_, label) => {
    const name = names.get(label);
    if (name !== undefined) return name;
    throw new InputError(
      `${lists.map(({ path }) => path).join(', ')}: no image of class ${label}, but of ${Math.max(...names.keys())}; ` +
        'number the classes from 0 on without gaps',
    );
  });
}
