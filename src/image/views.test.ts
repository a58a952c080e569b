import { describe, expect, test } from 'vitest';
import { InputError } from '../errors.js';
import { createPixels, type Pixels } from './pixels.js';
import { operationNames } from './rand-augment.js';
import { randomStream } from './random.js';
import { createViewMaker, defaultViewOptions, type ViewKind, type ViewOptions } from './views.js';

function gradient(side: number, channels: number): Pixels {
  const image = createPixels(side, side, channels);
  image.data.forEach((_, i) => {
    image.data[i] = (i * 7) % 256;
  });
  return image;
}

const image = gradient(16, 3);
const defaults = defaultViewOptions(image);

function view(kind: ViewKind, seed: number, options: ViewOptions = defaults, source = image): number[] {
  const target = new Uint8Array(source.data.length);
  createViewMaker(options)(kind, source, randomStream(seed), target);
  return [...target];
}

describe('the default view options', () => {
  test.each([
    [28, 2],
    [32, 2],
    [84, 5],
    [128, 8],
  ])('pad an image of side %i by %i pixels', (side, padding) => {
    expect(defaultViewOptions({ height: side, width: side }).cropPadding).toBe(padding);
  });
});

describe('a view maker', () => {
  test('copies the image for a clean view', () => {
    expect(view('clean', 1)).toEqual([...image.data]);
  });

  test.each(['weak', 'strong'] as const)('draws a %s view from the stream alone', (kind) => {
    const make = createViewMaker(defaults);
    const target = new Uint8Array(image.data.length);
    make('strong', gradient(8, 1), randomStream(9), new Uint8Array(64)); // leaves no trace
    make(kind, image, randomStream(3), target);
    expect([...target]).toEqual(view(kind, 3));
    expect(view(kind, 3)).not.toEqual(view(kind, 4));
  });

  test('leaves the source as it is', () => {
    const copy = image.data.slice();
    for (let seed = 0; seed < 50; seed++)
      view('strong', seed, { ...defaults, strong: { ...defaults.strong, cutout: 0.5 } });
    expect(image.data).toEqual(copy);
  });

  test('never mirrors when flipping is off', () => {
    const onlyMirror = operationNames.filter((name) => name !== 'mirror' && name !== 'identity');
    const options = {
      ...defaults,
      flip: false,
      cropPadding: 0,
      strong: { ...defaults.strong, exclude: onlyMirror },
    };
    for (let seed = 0; seed < 100; seed++) {
      expect(view('weak', seed, options)).toEqual([...image.data]);
      expect(view('strong', seed, options)).toEqual([...image.data]);
    }
    const flipping = { ...options, flip: true };
    expect(new Set(Array.from({ length: 20 }, (_, seed) => view('strong', seed, flipping).join())).size).toBe(
      2,
    );
  });

  test('applies strong operations on top of a weak view if asked', () => {
    const options = { ...defaults, strong: { ...defaults.strong, operations: 0, weakFirst: true } };
    expect(view('strong', 5, options)).toEqual(view('weak', 5, options));
    expect(view('strong', 5, { ...options, strong: { ...options.strong, weakFirst: false } })).toEqual([
      ...image.data,
    ]);
  });

  test('paints a grey square of the asked side, at most', () => {
    const white = createPixels(16, 16, 1);
    white.data.fill(255);
    const options = { ...defaults, strong: { ...defaults.strong, operations: 0, cutout: 0.5 } };
    const areas = new Set<number>();
    for (let seed = 0; seed < 300; seed++) {
      const levels = view('strong', seed, options, white);
      expect(levels.every((level) => level === 127 || level === 255)).toBe(true);
      areas.add(levels.filter((level) => level === 127).length);
    }
    expect(Math.max(...areas)).toBe(64);
    expect(Math.min(...areas)).toBe(16); // the square's centre is in a corner
  });

  test.each([
    [{ cropPadding: -1 }, 'padding'],
    [{ cropPadding: 0.5 }, 'padding'],
    [{ strong: { ...defaults.strong, cutout: 2 } }, 'cutout'],
    [{ strong: { ...defaults.strong, magnitude: 11 } }, 'magnitude'],
  ])('refuses %o', (wrong, word) => {
    expect(() => createViewMaker({ ...defaults, ...wrong })).toThrow(InputError);
    expect(() => createViewMaker({ ...defaults, ...wrong })).toThrow(word);
  });

  test('refuses an image that is larger than its working space', () => {
    const large = createPixels(513, 513, 3);
    expect(() => view('strong', 1, defaults, large)).toThrow(InputError);
  });
});
