/** Hashes that are alike for images that look alike. */
import { luma } from './luma.js';
import type { Pixels } from './pixels.js';
import { resizeAndCrop } from './resize.js';

export interface PerceptualHash {
  /** 64 bits, 16 in each: whether a pixel of a 9×8 image is darker than its right neighbour (dHash) */
  readonly bits: readonly number[];
  /** mean brightness 0…255, which tells images of one color apart */
  readonly brightness: number;
}

/** @param image gray or RGB */
export function perceptualHash(image: Pixels): PerceptualHash {
  const { data, channels } = resizeAndCrop(image, { height: 8, width: 9 });
  const levels = Array.from({ length: 72 }, (_, i) =>
    channels === 1 ? data[i] : luma(data[3 * i], data[3 * i + 1], data[3 * i + 2]),
  );
  const bits = [0, 0, 0, 0];
  for (let i = 0; i < 64; i++) {
    const at = (i >> 3) * 9 + (i & 7);
    if (levels[at] < levels[at + 1]) bits[i >> 4] |= 1 << (i & 15);
  }
  return { bits, brightness: levels.reduce((sum, level) => sum + level, 0) / levels.length };
}

const MOST_BITS = 3; // fewer than there are groups of bits: two hashes that are alike agree in one group at least
const MOST_BRIGHTNESS = 8;

/** Pairs [i, j], i < j, of images that differ in at most 3 of 64 bits and 8 levels of brightness. */
export function similarPairs(hashes: readonly PerceptualHash[]): [number, number][] {
  const pairs = new Map<string, [number, number]>();
  for (let group = 0; group < 4; group++) {
    const withSameBits = new Map<number, number[]>();
    hashes.forEach(({ bits }, j) => {
      const others = withSameBits.get(bits[group]) ?? [];
      for (const i of others) if (areSimilar(hashes[i], hashes[j])) pairs.set(`${i} ${j}`, [i, j]);
      others.push(j);
      withSameBits.set(bits[group], others);
    });
  }
  return [...pairs.values()].sort(([a, b], [c, d]) => a - c || b - d);
}

function areSimilar(a: PerceptualHash, b: PerceptualHash): boolean {
  if (Math.abs(a.brightness - b.brightness) > MOST_BRIGHTNESS) return false;
  const differing = a.bits.reduce((sum, bits, group) => sum + ones(bits ^ b.bits[group]), 0);
  return differing <= MOST_BITS;
}

function ones(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
