/** Mixtures of two examples, which mixup and all that came of it train on. */
import { type Generator, randomPermutation, sampleBeta, type Tensor, tensor, tidy } from '../tensor/index.js';

/** How much of each of two examples a mix has, and who is mixed with whom. */
export interface Mixing {
  /** λ, the share of the first: one for all rows, or one each (N) */
  readonly lambda: number | Tensor;
  /** the partner of each row (N), int64 */
  readonly permutation: Tensor;
}

export interface MixingOptions {
  /** λ ~ Beta(α, α) */
  readonly alpha: number;
  readonly generator: Generator;
  /** a λ for each row instead of one for all */
  readonly perRow?: boolean;
  /** λ ← max(λ, 1 − λ), so that a mix has more of its row than of the partner (MixMatch, Berthelot et al. 2019, eq. 9) */
  readonly dominant?: boolean;
}

/** Draws λ, then the partners of `rows` rows. */
export function drawMixing(rows: number, options: MixingOptions): Mixing {
  const { alpha, generator, perRow = false, dominant = false } = options;
  const draw = () => {
    const lambda = sampleBeta(alpha, alpha, generator);
    return dominant ? Math.max(lambda, 1 - lambda) : lambda;
  };
  const lambda = perRow ? tensor(Float32Array.from({ length: rows }, draw)) : draw();
  return { lambda, permutation: randomPermutation(rows, generator) };
}

/** λ·x_i + (1 − λ)·x_π(i) for every row of (N, …) (mixup, Zhang et al. 2018, eq. 1). */
export function mix(rows: Tensor, { lambda, permutation }: Mixing): Tensor {
  return tidy(() => {
    const partners = rows.indexSelect(0, permutation);
    if (typeof lambda === 'number') return rows.mul(lambda).add(partners.mul(1 - lambda));
    const shares = lambda.reshape(-1, ...rows.shape.slice(1).map(() => 1)); // (N, 1, …)
    return rows.mul(shares).add(partners.sub(partners.mul(shares)));
  });
}
