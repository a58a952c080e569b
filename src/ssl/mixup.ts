import { type Generator, randomPermutation, sampleBeta, type Tensor, tidy } from '../tensor/index.js';

/** How much of each of two examples a mix has, and who is mixed with whom. */
export interface Mixing {
  /** λ, the share of the first */
  readonly lambda: number;
  /** the partner of each row (N), int64 */
  readonly permutation: Tensor;
}

/** λ = max(λ', 1 − λ') with λ' ~ Beta(α, α), one for all rows (MixMatch, Berthelot et al. 2019, eq. 8–9). */
export function drawMixing(rows: number, alpha: number, generator: Generator): Mixing {
  const lambda = sampleBeta(alpha, alpha, generator);
  return { lambda: Math.max(lambda, 1 - lambda), permutation: randomPermutation(rows, generator) };
}

/** λ·x_i + (1 − λ)·x_π(i) for every row of (N, …) (mixup, Zhang et al. 2018). */
export function mix(rows: Tensor, { lambda, permutation }: Mixing): Tensor {
  return tidy(() => rows.mul(lambda).add(rows.indexSelect(0, permutation).mul(1 - lambda)));
}
