import { full, keep, type Tensor, tidy } from '../tensor/index.js';

/**
 * Moves pseudo-labels toward the class distribution that is expected: q ← norm(q · p_expected / p̄), p̄ a moving
 * average of the model's predictions (ReMixMatch, Berthelot et al. 2020, section 3.1).
 */
export class DistributionAlignment {
  private readonly mean: Tensor; // p̄ (classes)

  /** @param expected p_expected (classes); kept by the caller @param decay of the moving average */
  constructor(
    private readonly expected: Tensor,
    private readonly decay: number,
  ) {
    const [classes] = expected.shape;
    this.mean = keep(full([classes], 1 / classes));
  }

  /** Takes probabilities (N, classes) into p̄ and returns them aligned. */
  align(probabilities: Tensor): Tensor {
    return tidy(() => {
      this.mean.mulInPlace(this.decay).addInPlace(probabilities.mean([0]), 1 - this.decay);
      const moved = probabilities.mul(this.expected.div(this.mean.clamp(1e-6, null)));
      return moved.div(moved.sum([1], true));
    });
  }

  state(): Map<string, Tensor> {
    return new Map([
      ['expected', this.expected],
      ['mean', this.mean],
    ]);
  }
}
