import { keep, type Tensor, tensor, tidy } from '../tensor/index.js';
import type { RunningMean } from './moving-average.js';

/**
 * Moves pseudo-labels toward the class distribution that is expected: q ← norm(q · p_expected / p̄), p̄ a mean of the
 * model's latest predictions (ReMixMatch, Berthelot et al. 2020, section 3.1).
 */
export class DistributionAlignment {
  private readonly expected: Tensor; // p_expected (classes)

  /** @param expected p_expected, a share for each class @param mean p̄ (classes), from 1/C */
  constructor(
    expected: readonly number[],
    private readonly mean: RunningMean,
  ) {
    this.expected = keep(tensor(expected));
  }

  /** Takes probabilities (N, classes) into p̄ and returns them aligned. */
  align(probabilities: Tensor): Tensor {
    return tidy(() => {
      this.mean.add(probabilities.mean([0]));
      const moved = probabilities.mul(this.expected.div(this.mean.value.clamp(1e-6, null)));
      return moved.div(moved.sum([1], true));
    });
  }

  state(): Map<string, Tensor> {
    return new Map([['expected', this.expected], ...this.mean.state()]);
  }
}
