// How time and memory of a small step (WRN-10-2, 8 labeled and 16 unlabeled images, K = 8) grow with the size of its parts,
// and those of the loader with images and threads: exponents e of time ≈ c·size^e by least squares of logarithms, and of
// memory likewise. Memory of a step is that of its tensors at most; of the loader what the process grew by.
import { spawnSync } from 'node:child_process';
import { pathOf } from './sides.mjs';

export function measure({ threads }) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [pathOf('scaling-side.mjs'), String(threads)],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`scaling-side.mjs failed: ${stderr}`);
  return Object.fromEntries(
    Object.entries(JSON.parse(stdout)).map(([name, points]) => [
      name,
      { points, time: exponent(points, 'milliseconds'), memory: exponent(points, 'megabytes') },
    ]),
  );
}

/** The slope of the logarithm of a number over that of the size. */
function exponent(points, key) {
  const pairs = points.map((point) => [Math.log(point.size), Math.log(point[key])]);
  const mean = (place) => pairs.reduce((sum, pair) => sum + pair[place], 0) / pairs.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = pairs.reduce((sum, pair) => sum + (pair[0] - x) * (pair[1] - y), 0);
  return covariance / pairs.reduce((sum, pair) => sum + (pair[0] - x) ** 2, 0);
}

export function print(results) {
  for (const [name, { points, time, memory }] of Object.entries(results)) {
    const list = (key, digits) => points.map((point) => point[key].toFixed(digits)).join(', ');
    console.log(`  ${name} ${list('size', 0)}:`);
    console.log(`    ${list('milliseconds', 1)} ms, exponent ${time.toFixed(2)}`);
    if (points[0].megabytes !== undefined)
      console.log(`    ${list('megabytes', 1)} MB, exponent ${memory.toFixed(2)}`);
  }
}
