/**
 * RandAugment (Cubuk et al. 2019, arXiv 1909.13719) in the form FeatMatch uses it: each operation is drawn from sixteen
 * with replacement, at an integer magnitude m ~ U{0…M}; its parameter is uniform in the m-th of ten equal bins of the
 * operation's range. The operations are Pillow 9.4's.
 */

import { InputError } from '../errors.js';
import { rotate, shearX, shearY, translateX, translateY } from './affine.js';
import { color, sharpness } from './blend.js';
import { autoContrast, brightness, contrast, equalize, invert, posterize, solarize } from './lookup.js';
import { mirror } from './mirror.js';
import type { PixelOperation, Pixels } from './pixels.js';
import type { Random } from './random.js';

interface OperationRow {
  /** Applies the operation; `null` leaves the image as it is. */
  readonly apply: PixelOperation | null;
  /** Parameter at the lower edge of bin 0 and the upper edge of bin 9; without: the operation has no parameter. */
  readonly range?: readonly [from: number, to: number];
  /** The parameter's sign is drawn too. */
  readonly signed?: true;
  /** The parameter is rounded to an integer. */
  readonly rounded?: true;
}

/** The sixteen operations. Their order is part of what a seed means. */
export const operations = {
  shearX: { apply: shearX, range: [0, 0.3], signed: true },
  shearY: { apply: shearY, range: [0, 0.3], signed: true },
  translateX: { apply: translateX, range: [0, 150 / 331], signed: true }, // fraction of the width
  translateY: { apply: translateY, range: [0, 150 / 331], signed: true }, // fraction of the height
  rotate: { apply: rotate, range: [0, 30], signed: true }, // degrees
  mirror: { apply: mirror },
  identity: { apply: null },
  autoContrast: { apply: autoContrast },
  equalize: { apply: equalize },
  invert: { apply: invert },
  solarize: { apply: solarize, range: [0, 256] }, // levels from here on are inverted
  posterize: { apply: posterize, range: [4, 8], rounded: true }, // bits kept
  contrast: { apply: contrast, range: [0.1, 1.9] },
  color: { apply: color, range: [0.1, 1.9] },
  brightness: { apply: brightness, range: [0.1, 1.9] },
  sharpness: { apply: sharpness, range: [0.1, 1.9] },
} as const satisfies Record<string, OperationRow>;

export type OperationName = keyof typeof operations;

/** The names of {@link operations}, in their order. */
export const operationNames = Object.keys(operations) as OperationName[];

const rows: readonly OperationRow[] = operationNames.map((name) => operations[name]);
const BINS = 10;

export interface RandAugmentOptions {
  /** Operations applied one after another (N). */
  readonly operations: number;
  /** Largest magnitude bin drawn (M), 0…9. */
  readonly magnitude: number;
  /** Operations never drawn. */
  readonly exclude: readonly OperationName[];
}

/** @throws InputError for numbers outside their range, an unknown operation, or if no operation is left to draw. */
export function checkRandAugmentOptions({ operations: count, magnitude, exclude }: RandAugmentOptions): void {
  if (!Number.isInteger(count) || count < 0) {
    throw new InputError(`strong views need a whole number of operations, 0 or more, not ${count}`);
  }
  if (!Number.isInteger(magnitude) || magnitude < 0 || magnitude >= BINS) {
    throw new InputError(
      `the magnitude of strong views is an integer from 0 to ${BINS - 1}, not ${magnitude}`,
    );
  }
  for (const name of exclude) {
    if (!operationNames.includes(name)) {
      throw new InputError(
        `unknown augmentation "${name}" to exclude; there are ${operationNames.join(', ')}`,
      );
    }
  }
  if (count > 0 && operationNames.every((name) => exclude.includes(name))) {
    throw new InputError(
      'all augmentations are excluded: leave at least one, or set the number of operations to 0',
    );
  }
}

function drawParameter({ range, signed, rounded }: OperationRow, magnitude: number, random: Random): number {
  if (range === undefined) return 0;
  const bin = random.integer(magnitude + 1);
  const value = range[0] + ((range[1] - range[0]) * (bin + random.uniform())) / BINS;
  if (signed) return random.integer(2) === 1 ? -value : value;
  return rounded ? Math.round(value) : value;
}

/**
 * Applies RandAugment to `image`, whose pixels are overwritten, with `spare` (same size) as working space.
 * Returns the one of the two that holds the result.
 *
 * `options` must have passed {@link checkRandAugmentOptions}.
 */
export function randAugment(
  image: Pixels,
  spare: Pixels,
  random: Random,
  options: RandAugmentOptions,
): Pixels {
  let current = image;
  let other = spare;
  for (let drawn = 0; drawn < options.operations; ) {
    const index = random.integer(rows.length);
    if (options.exclude.includes(operationNames[index])) continue;
    drawn++;
    const row = rows[index];
    const value = drawParameter(row, options.magnitude, random);
    if (row.apply === null) continue;
    row.apply(current, other.data, value);
    [current, other] = [other, current];
  }
  return current;
}
