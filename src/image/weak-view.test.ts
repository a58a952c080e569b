import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPixels, type Pixels } from './pixels.js';
import { randomStream } from './random.js';
import { weakView } from './weak-view.js';

/** An image whose levels are all different and not 0. */
function countingImage(height: number, width: number, channels: number): Pixels {
  const image = createPixels(height, width, channels);
  image.data.forEach((_, i) => {
    image.data[i] = i + 1;
  });
  return image;
}

function view(image: Pixels, seed: number, options: { flip: boolean; cropPadding: number }): number[] {
  const target = new Uint8Array(image.data.length).fill(99);
  weakView(image, target, randomStream(seed), options);
  return [...target];
}

describe('weakView', () => {
  test('changes nothing without flip and padding', () => {
    const image = countingImage(3, 4, 1);
    expect(view(image, 1, { flip: false, cropPadding: 0 })).toEqual([...image.data]);
  });

  test('flips half of the images left to right, channels kept together', () => {
    const image = countingImage(2, 2, 3);
    const flipped = [4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9];
    const results = Array.from({ length: 400 }, (_, seed) =>
      view(image, seed, { flip: true, cropPadding: 0 }),
    );
    const flips = results.filter((result) => result[0] === 4);
    for (const result of flips) expect(result).toEqual(flipped);
    expect(flips.length).toBeGreaterThan(150);
    expect(flips.length).toBeLessThan(250);
  });

  test('shifts by every offset up to the padding, and fills with black', () => {
    const image = countingImage(3, 3, 1);
    const at = (row: number, column: number): number =>
      row < 0 || row > 2 || column < 0 || column > 2 ? 0 : 3 * row + column + 1;
    const shifted = (down: number, right: number): string =>
      Array.from({ length: 9 }, (_, i) => at(Math.floor(i / 3) + down, (i % 3) + right)).join();
    const offsets = [-2, -1, 0, 1, 2];
    const expected = new Set(offsets.flatMap((down) => offsets.map((right) => shifted(down, right))));
    const seen = new Set<string>();
    for (let seed = 0; seed < 600; seed++)
      seen.add(view(image, seed, { flip: false, cropPadding: 2 }).join());
    expect(seen).toEqual(expected);
  });

  test('shifts a flipped image the same way', () => {
    const image = countingImage(1, 4, 1);
    const seen = new Set<string>();
    for (let seed = 0; seed < 300; seed++) seen.add(view(image, seed, { flip: true, cropPadding: 1 }).join());
    const shifts = ['0,1,2,3', '1,2,3,4', '2,3,4,0', '0,4,3,2', '4,3,2,1', '3,2,1,0', '0,0,0,0'];
    expect(seen).toEqual(new Set(shifts));
  });

  test('shows only levels of the image or black, at any padding', () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.nat(1000),
        fc.boolean(),
        fc.constantFrom(1, 3),
        (cropPadding, seed, flip, channels) => {
          const result = view(countingImage(4, 5, channels), seed, { flip, cropPadding });
          const shown = result.filter((level) => level !== 0);
          expect(new Set(shown).size).toBe(shown.length);
          expect(Math.max(0, ...shown)).toBeLessThanOrEqual(20 * channels);
        },
      ),
    );
  });
});
