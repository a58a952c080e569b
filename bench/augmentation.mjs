// RandAugment on RGB images: images a second of processor time against Pillow, one thread each. Timed on both sides, a
// view: the draw of two operations and their magnitudes (16 operations, with replacement), the operations, and the
// result as an array of bytes. The images are the same, in memory before: as Uint8Array here, as PIL.Image there. Then
// each operation alone.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '../dist/image/random.js';
import { formatSpread, measureSides, pathOf, spread } from './sides.mjs';

const SIDES = [32, 84, 128];
const IMAGES = 64;

export function measure({ rounds }) {
  const folder = mkdtempSync(join(tmpdir(), 'featmatch-bench-'));
  try {
    return Object.fromEntries(
      SIDES.map((side) => {
        const file = join(folder, `${side}.rgb`);
        writeFileSync(file, pictures(side));
        const sides = {
          featmatch: [process.execPath, pathOf('augmentation-side.mjs'), file, String(side), '1'],
          Pillow: ['/usr/bin/python3', pathOf('pillow/augmentation.py'), file, String(side), '1'],
        };
        return [side, measureSides(sides, { rounds })];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Pictures of a few soft spots of colour and some noise, which use most grey levels as photographs do. */
function pictures(side) {
  const random = randomStream(0, side);
  const pixels = new Uint8Array(IMAGES * side * side * 3);
  for (let image = 0, i = 0; image < IMAGES; image++) {
    const spots = Array.from({ length: 6 }, () => ({
      row: side * random.uniform(),
      column: side * random.uniform(),
      width: side * (0.1 + 0.3 * random.uniform()),
      color: Array.from({ length: 3 }, () => 320 * (random.uniform() - 0.5)),
    }));
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        for (let channel = 0; channel < 3; channel++) {
          let level = 128 + 16 * (random.uniform() - 0.5);
          for (const spot of spots) {
            const distance = ((row - spot.row) ** 2 + (column - spot.column) ** 2) / spot.width ** 2;
            level += spot.color[channel] * Math.exp(-distance);
          }
          pixels[i++] = Math.min(255, Math.max(0, level));
        }
      }
    }
  }
  return pixels;
}

/** A table a size: one line for two drawn operations, which is RandAugment, and one for each operation alone. */
export function print(results) {
  for (const [side, rows] of Object.entries(results)) {
    console.log(
      `\n  ${side}×${side}×3`.padEnd(23),
      'featmatch images/s',
      'Pillow images/s'.padStart(16),
      '  ratio',
    );
    for (const [name, { numbers, ratios }] of Object.entries(rows)) {
      const [ours, theirs] = [numbers.featmatch, numbers.Pillow].map((values) => spread(values).median);
      const columns = [Math.round(ours).toString().padStart(18), Math.round(theirs).toString().padStart(16)];
      console.log(`  ${name.padEnd(20)}`, ...columns, ` ${formatSpread(ratios.Pillow, 1)}`);
    }
  }
}
