// K-means as prototypes are made: 64,000 features of length 1, 10 classes, 9 clusters each; points a second against
// scikit-learn's KMeans with its defaults, which is how the published code calls it. Both sides read the same features,
// and what they reach, the inertia, is told as well.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomStream } from '../dist/image/random.js';
import { formatSpread, measureSides, pathOf, printSides } from './sides.mjs';

const CLASSES = 10;
const POINTS = 6400; // of each class
const DIMENSION = 128;
const CLUSTERS = 9;
/** How far features are from the center of their group, beside the groups' own distances. */
const SPREADS = { 'groups apart': 0.4, 'groups overlap': 1 };

export function measure({ rounds, threads }) {
  const folder = mkdtempSync(join(tmpdir(), 'featmatch-bench-'));
  try {
    return Object.fromEntries(
      Object.entries(SPREADS).map(([name, spread], seed) => {
        const file = join(folder, `${seed}.float32`);
        writeFileSync(file, new Uint8Array(features(spread, seed).buffer));
        const options = [file, CLASSES, POINTS, DIMENSION, CLUSTERS, threads].map(String);
        const sides = {
          featmatch: [process.execPath, pathOf('kmeans-side.mjs'), ...options],
          'scikit-learn': ['/usr/bin/python3', pathOf('scikit-learn/kmeans.py'), ...options],
        };
        return [name, measureSides(sides, { rounds })];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Features as a rectifier leaves them, of twelve groups in each class, scaled to length 1. */
function features(spread, seed) {
  const random = randomStream(0, seed);
  const gaussian = () =>
    Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
  const all = new Float32Array(CLASSES * POINTS * DIMENSION);
  for (let start = 0; start < all.length; start += POINTS * DIMENSION) {
    const groups = Array.from({ length: 12 * DIMENSION }, () => Math.abs(gaussian()));
    for (let point = 0; point < POINTS; point++) {
      const group = random.integer(12) * DIMENSION;
      const row = all.subarray(start + point * DIMENSION, start + (point + 1) * DIMENSION);
      for (let d = 0; d < DIMENSION; d++) row[d] = Math.max(0, groups[group + d] + spread * gaussian());
      const length = Math.hypot(...row);
      for (let d = 0; d < DIMENSION; d++) row[d] /= length;
    }
  }
  return all;
}

export function print(results) {
  for (const [name, { pointsPerSecond, inertia }] of Object.entries(results)) {
    console.log(` ${name}:`);
    printSides(pointsPerSecond, 'points/s');
    console.log(`  inertia, featmatch / scikit-learn: ${formatSpread(inertia.ratios['scikit-learn'], 4)}`);
  }
}
