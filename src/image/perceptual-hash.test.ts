import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { perceptualHash, similarPairs } from './perceptual-hash.js';
import type { Pixels } from './pixels.js';
import { randomStream } from './random.js';

/** A picture of blocks; another seed is another picture. */
function picture(seed: number, [width, height] = [72, 64], brighter = 0): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [Math.floor(((i % width) * 9) / width), Math.floor((Math.floor(i / width) * 8) / height)];
    data.fill(20 + randomStream(seed, x, y).integer(200) + brighter, 3 * i, 3 * i + 3);
  }
  return { data, width, height, channels: 3 };
}

describe('the perceptual hash', () => {
  it('is alike for the same picture larger, a little brighter or noisy', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 50 }), (seed) => {
        const noisy = picture(seed);
        noisy.data.forEach((level, i) => {
          noisy.data[i] = level + ((i * 7919) % 5);
        });
        const variants = [picture(seed), picture(seed, [144, 128]), picture(seed, [72, 64], 4), noisy];
        expect(similarPairs(variants.map(perceptualHash))).toHaveLength(6);
      }),
      { numRuns: 20 },
    );
  });

  it('differs for other pictures, and for images of one color each', () => {
    const flat = (level: number): Pixels => ({
      ...picture(0),
      data: new Uint8Array(72 * 64 * 3).fill(level),
    });
    expect(
      similarPairs([picture(1), picture(2), picture(3), flat(20), flat(200)].map(perceptualHash)),
    ).toEqual([]);
  });

  it('finds every pair within three bits, as comparing all of them does', () => {
    const bits = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 0, max: 7 })));
    fc.assert(
      fc.property(fc.array(bits, { maxLength: 12 }), (all) => {
        const distance = (a: number[], b: number[]) =>
          a.reduce((sum, value, g) => sum + (value ^ b[g]).toString(2).replaceAll('0', '').length, 0);
        const expected = all.flatMap((a, i) =>
          all.flatMap((b, j) => (i < j && distance(a, b) <= 3 ? [[i, j]] : [])),
        );
        expect(similarPairs(all.map((value) => ({ bits: value, brightness: 0 })))).toEqual(expected);
      }),
    );
  });
});
