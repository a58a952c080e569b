/** Equations that several papers share. Probabilities are (N, classes), rows sum to 1. */
import { type Tensor, tidy } from '../tensor/index.js';

/** p_c^(1/T) / Σ p^(1/T): T < 1 sharpens, 1 leaves as is (MixMatch, Berthelot et al. 2019, eq. 7). */
export function sharpen(probabilities: Tensor, temperature: number): Tensor {
  if (temperature === 1) return probabilities;
  return tidy(() => {
    const powers = probabilities.div(probabilities.amax(1, true)).pow(1 / temperature); // of 1 at most: no row underflows
    return powers.div(powers.sum([1], true));
  });
}

/** Grows linearly from 0 at step 0 to 1 at `steps`, then stays; 1 throughout for no steps. */
export function linearRamp(step: number, steps: number): number {
  return steps === 0 ? 1 : Math.min(1, step / steps);
}

/** exp(−5(1 − t)²), t growing from 0 to 1 over `steps` (Laine and Aila 2017, section 2); 1 throughout for no steps. */
export function gaussianRamp(step: number, steps: number): number {
  return Math.exp(-5 * (1 - linearRamp(step, steps)) ** 2);
}
