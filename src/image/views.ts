/** The views of an image that semi-supervised methods train on. */

import { InputError } from '../errors.js';
import { cutout } from './cutout.js';
import { byteSize, createPixels, type Pixels } from './pixels.js';
import { checkRandAugmentOptions, type OperationName, randAugment } from './rand-augment.js';
import type { Random } from './random.js';
import { type WeakViewOptions, weakView } from './weak-view.js';
import { MAX_IMAGE_BYTES, settleWorkspace } from './workspace.js';

/** `clean` is the image itself; `weak` a flip and shift of it; `strong` RandAugment of it. */
export type ViewKind = 'clean' | 'weak' | 'strong';

export interface StrongViewOptions {
  /** Operations of RandAugment applied one after another (N). */
  readonly operations: number;
  /** Largest magnitude drawn (M), 0…9. */
  readonly magnitude: number;
  /** Apply RandAugment to a weak view instead of to the image itself. */
  readonly weakFirst: boolean;
  /** Side of a grey square painted over the result at a random place, as a fraction of the shorter side; 0 = none. */
  readonly cutout: number;
  /** Operations never drawn, besides those that `flip: false` rules out. */
  readonly exclude?: readonly OperationName[];
}

export interface ViewOptions extends WeakViewOptions {
  /**
   * Mirroring an image keeps its class. If `false` (digits, letters, anything with a reading direction), weak views are
   * not flipped and strong views never draw the operation `mirror` either.
   */
  readonly flip: boolean;
  readonly strong: StrongViewOptions;
}

/** The paper's views for images of this size: padding of a sixteenth of the side, two operations, magnitude 9. */
export function defaultViewOptions({ height, width }: Pick<Pixels, 'height' | 'width'>): ViewOptions {
  return {
    flip: true,
    cropPadding: Math.round(Math.min(height, width) / 16),
    strong: { operations: 2, magnitude: 9, weakFirst: false, cutout: 0 },
  };
}

/** @throws InputError if a number is outside its range or an operation unknown. */
export function checkViewOptions(options: ViewOptions): void {
  const { cropPadding, strong } = options;
  if (!Number.isInteger(cropPadding) || cropPadding < 0) {
    throw new InputError(`the crop padding is a whole number of pixels, 0 or more, not ${cropPadding}`);
  }
  if (!(strong.cutout >= 0 && strong.cutout <= 1)) {
    throw new InputError(`the cutout is a fraction of the side, from 0 to 1, not ${strong.cutout}`);
  }
  checkRandAugmentOptions({ ...strong, exclude: excludedOperations(options) });
}

function excludedOperations({ flip, strong }: ViewOptions): readonly OperationName[] {
  const exclude = strong.exclude ?? [];
  return flip ? exclude : [...exclude, 'mirror'];
}

/**
 * Makes one view of `source` and writes its height·width·channels bytes to the start of `target`. What it draws comes
 * from `random` alone.
 */
export type MakeView = (kind: ViewKind, source: Pixels, random: Random, target: Uint8Array) => void;

function tooLarge({ height, width, channels }: Pixels): InputError {
  return new InputError(
    `images of ${height}×${width} pixels with ${channels} channels are too large to augment; ` +
      `the limit is ${MAX_IMAGE_BYTES} bytes (512×512×3): resize them first`,
  );
}

/**
 * A maker of views, which allocates nothing per view as long as the images have one size.
 *
 * @throws InputError if `options` are not valid.
 */
export function createViewMaker(options: ViewOptions): MakeView {
  checkViewOptions(options);
  settleWorkspace();
  const { strong } = options;
  const randAugmentOptions = { ...strong, exclude: excludedOperations(options) };
  let image = createPixels(0, 0, 0);
  let spare = image;

  function makeStrongView(source: Pixels, random: Random): Pixels {
    const { height, width, channels } = source;
    if (image.height !== height || image.width !== width || image.channels !== channels) {
      image = createPixels(height, width, channels);
      spare = createPixels(height, width, channels);
    }
    if (strong.weakFirst) weakView(source, image.data, random, options);
    else image.data.set(source.data);
    const result = randAugment(image, spare, random, randAugmentOptions);
    if (strong.cutout > 0) cutout(result, strong.cutout, random);
    return result;
  }

  return (kind, source, random, target) => {
    if (byteSize(source) > MAX_IMAGE_BYTES) throw tooLarge(source);
    switch (kind) {
      case 'clean':
        target.set(source.data);
        break;
      case 'weak':
        weakView(source, target, random, options);
        break;
      case 'strong':
        target.set(makeStrongView(source, random).data);
        break;
    }
  };
}
