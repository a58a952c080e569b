/** Which images are labelled, which are not, and which are set aside for validation. */

import { InputError } from '../errors.js';
import { randomStream, shuffledRange } from '../image/random.js';

/** Images in all, equally many of each class; or a share of each class's images, at least one. */
export type Amount = number | { readonly share: number };

export interface SplitOptions {
  /** Labelled images; null = every image of known class that is not held out. */
  readonly labeled: Amount | null;
  /** Validation images, held out of both other sets. Their labels are known to the user, not to training. */
  readonly validation: Amount;
  /** Class names, or as many of anything as there are classes. */
  readonly classes: readonly unknown[];
  readonly seed: number;
}

/** Indices into the data set, ascending. The three sets are disjoint and together cover every image. */
export interface Split {
  readonly labeled: Int32Array;
  readonly unlabeled: Int32Array;
  readonly validation: Int32Array;
}

// What distinguishes the streams of random numbers. Part of what a seed means.
const REMAINDER_LABELED = 1;
const REMAINDER_VALIDATION = 2;
const MEMBERS = 3;

/**
 * Draws a class-balanced split: each class gives the same number of labelled (and of validation) images, or one more if
 * the number does not divide evenly; which classes give one more is drawn too. Or each gives the same share of its images. Labelled images are drawn first: the
 * number of validation images does not change which images are labelled, and with more labels of the same seed the
 * fewer stay labelled. Images of unknown class (label −1) are unlabelled.
 *
 * @throws InputError if a class has fewer images than asked for, or a label is not a class.
 */
export function splitDataset(labels: Int32Array, options: SplitOptions): Split {
  const { labeled, validation, classes, seed } = options;
  const members = membersByClass(labels, classes.length);
  const validationQuota = quotas(validation, members, [seed, REMAINDER_VALIDATION]);
  const labeledQuota =
    labeled === null
      ? members.map((images, label) => Math.max(0, images.length - validationQuota[label]))
      : quotas(labeled, members, [seed, REMAINDER_LABELED]);

  const use = new Uint8Array(labels.length); // 0 = unlabelled, 1 = labelled, 2 = validation
  members.forEach((images, label) => {
    const wanted = labeledQuota[label] + validationQuota[label];
    if (wanted > images.length) {
      throw new InputError(
        `class ${String(classes[label])} has ${images.length} images, fewer than the ${labeledQuota[label]} labeled and ` +
          `${validationQuota[label]} validation images asked of it: ask for fewer`,
      );
    }
    const order = shuffledRange(images.length, randomStream(seed, MEMBERS, label));
    for (let i = 0; i < wanted; i++) use[images[order[i]]] = i < labeledQuota[label] ? 1 : 2;
  });
  return { labeled: indicesOf(use, 1), unlabeled: indicesOf(use, 0), validation: indicesOf(use, 2) };
}

function membersByClass(labels: Int32Array, classCount: number): number[][] {
  const members: number[][] = Array.from({ length: classCount }, () => []);
  labels.forEach((label, image) => {
    if (label >= classCount || label < -1) {
      throw new InputError(`image ${image} has label ${label}, but there are ${classCount} classes`);
    }
    if (label >= 0) members[label].push(image);
  });
  return members;
}

/** How many images each class gives; where it is one more than others, that is drawn. */
function quotas(
  amount: Amount,
  members: readonly (readonly number[])[],
  [seed, stream]: readonly [number, number],
): number[] {
  if (typeof amount === 'object') {
    return members.map(({ length }) => (length === 0 ? 0 : Math.max(1, Math.round(amount.share * length))));
  }
  if (!Number.isInteger(amount) || amount < 0) {
    throw new InputError(
      `the number of labeled or validation images is a whole number, 0 or more, not ${amount}`,
    );
  }
  const quota = members.map(() => Math.floor(amount / members.length));
  const order = shuffledRange(members.length, randomStream(seed, stream));
  for (let i = 0; i < amount % members.length; i++) quota[order[i]]++;
  return quota;
}

function indicesOf(use: Uint8Array, wanted: number): Int32Array {
  const indices: number[] = [];
  use.forEach((value, image) => {
    if (value === wanted) indices.push(image);
  });
  return Int32Array.from(indices);
}
