/**
 * Image files of several domains, the same classes drawn, painted or photographed: a folder for each domain with one
 * for each class in it, and two lists a domain, as DomainNet has them, or three with one for validation. Images of one
 * domain, the target, are trained on with a few of their labels and tested on; those of others, the sources, are
 * unlabelled.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import type { ListedImage, Part } from '../folder/list.js';
import { classNames, type DomainList, parseDomainList } from '../formats/domain-list.js';
import { readInputFile } from '../formats/file.js';
import type { Reader } from './reader.js';

export interface DomainsLayout {
  readonly format: 'domains';
  readonly domains: readonly string[];
  /** The domain to be learned. */
  readonly target: string;
  readonly sources: readonly string[];
}

/** Which domains are used of a data set of several. */
export interface DomainChoice {
  /** null = the usual one */
  readonly target?: string | null;
  /** null = the usual ones other than the target */
  readonly sources?: readonly string[] | null;
  /** share of the sources' images in unlabelled batches; 0 = they are not read at all */
  readonly sourceRatio?: number;
}

const listOf = (domain: string, part: Part) => `${domain}_${part}.txt`;

/**
 * The layout with the target and sources that are to be read.
 *
 * @throws InputError if there is no such domain, or one is named twice
 */
export function chooseDomains(layout: DomainsLayout, choice: DomainChoice): DomainsLayout {
  const target = choice.target ?? layout.target;
  const sources = choice.sources ?? [layout.target, ...layout.sources].filter((domain) => domain !== target);
  const unknown = [target, ...sources].find((domain) => !layout.domains.includes(domain));
  if (unknown !== undefined) {
    throw new InputError(`there is no domain ${unknown}; there are ${layout.domains.join(', ')}`);
  }
  if (sources.includes(target) || new Set(sources).size < sources.length) {
    throw new InputError(
      `a domain is named twice: the target is ${target}, the sources are ${sources.join(', ')}`,
    );
  }
  return { ...layout, target, sources: choice.sourceRatio === 0 ? [] : sources };
}

/** @throws InputError if domains are chosen where there is only one */
export function checkOneDomain(what: string, { target, sources, sourceRatio = 0 }: DomainChoice): void {
  if ((target ?? null) !== null || (sources ?? null) !== null || sourceRatio > 0) {
    throw new InputError(
      `${what} have one domain only: leave out data.target, data.sources and data.sourceRatio`,
    );
  }
}

export const domainsReader: Reader<DomainsLayout> = {
  missing(folder, { target, sources }) {
    const lists = [
      listOf(target, 'train'),
      listOf(target, 'test'),
      ...sources.map((source) => listOf(source, 'train')),
    ];
    return [...lists, target, ...sources].find((name) => !existsSync(join(folder, name))) ?? null;
  },

  read(folder, { layout: { target, sources }, classCount }) {
    const read = (domain: string, part: Part): DomainList => {
      const path = join(folder, listOf(domain, part));
      return parseDomainList(readInputFile(path), path);
    };
    const training = [target, ...sources].map((domain) => read(domain, 'train'));
    const hasValidation = existsSync(join(folder, listOf(target, 'validation')));
    const held = (hasValidation ? (['validation', 'test'] as const) : (['test'] as const)).map((part) => ({
      part,
      list: read(target, part),
    }));
    const classes = classNames([...training, ...held.map(({ list }) => list)]);
    if (classes.length !== classCount) {
      throw new InputError(
        `${training[0].path} and the other lists have ${classes.length} classes instead of ${classCount}`,
      );
    }
    const list = (part: Part, { images, labels }: DomainList, domain: number): ListedImage[] =>
      images.map((path, i) => ({ path, part, label: labels[i], domain }));
    return {
      folder,
      classes,
      domains: [target, ...sources],
      images: [
        ...training.flatMap((images, domain) => list('train', images, domain)),
        ...held.flatMap(({ part, list: images }) => list(part, images, 0)),
      ],
    };
  },
};
