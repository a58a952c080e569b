// What AugF costs of a step: forward and backward on the features of 192 images with 200 prototypes in four heads, as a
// share of a step that sends 192 images through WRN-28-2 (64 labeled, 64 unlabeled in a weak and a strong view).
import { formatSpread, measureAlone, pathOf } from './sides.mjs';

const MOST_ROUNDS = 3;

export function measure({ rounds, threads }) {
  return measureAlone([process.execPath, pathOf('augf-side.mjs'), String(threads)], {
    rounds: Math.min(rounds, MOST_ROUNDS),
  });
}

export function print({ stepMilliseconds, augfMilliseconds, augfPercent }) {
  console.log(`  a step  ${formatSpread(stepMilliseconds, 1)} ms`);
  console.log(
    `  AugF    ${formatSpread(augfMilliseconds, 2)} ms: ${formatSpread(augfPercent, 2)} % of the step`,
  );
}
