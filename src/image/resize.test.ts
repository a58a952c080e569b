import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resizeAndCrop } from './resize.js';

interface GoldenCase {
  width: number;
  height: number;
  side: number;
  channels: number;
  /** bytes in base64 */
  input: string;
  output: string;
}

/** From Pillow 9.4; made by make_resize.py beside it. */
const golden = JSON.parse(
  readFileSync(new URL('../../test/fixtures/resize/resize.json', import.meta.url), 'utf8'),
) as GoldenCase[];

describe('resizing with a centered crop', () => {
  it.each(golden.map((c) => [`${c.width}×${c.height}×${c.channels} to ${c.side}`, c] as const))(
    'is within one level of Pillow: %s',
    (_, { width, height, side, channels, input, output }) => {
      const result = resizeAndCrop(
        { data: Buffer.from(input, 'base64'), width, height, channels },
        { height: side, width: side },
      );
      expect(result).toMatchObject({ height: side, width: side, channels });
      const expected = [...Buffer.from(output, 'base64')];
      const differences = expected.map((level, i) => Math.abs(level - result.data[i]));
      expect(result.data.length).toBe(expected.length);
      expect(Math.max(...differences)).toBeLessThanOrEqual(1);
    },
  );

  const size = fc.integer({ min: 1, max: 60 });

  it('keeps an image of one color as it is, at every size', () => {
    fc.assert(
      fc.property(size, size, size, size, fc.integer({ min: 0, max: 255 }), (width, height, w, h, level) => {
        const data = new Uint8Array(width * height * 3).fill(level);
        const result = resizeAndCrop({ data, width, height, channels: 3 }, { width: w, height: h });
        expect(result.data.length).toBe(w * h * 3);
        expect(new Set(result.data)).toEqual(new Set([level]));
      }),
    );
  });

  it('keeps an image that has the size already', () => {
    fc.assert(
      fc.property(size, size, fc.integer(), (width, height, seed) => {
        const data = Uint8Array.from({ length: width * height }, (_, i) => (i * 7919 + seed) & 255);
        const result = resizeAndCrop({ data, width, height, channels: 1 }, { width, height });
        expect(result.data).toEqual(data);
      }),
    );
  });
});
