import { full, keep, type Tensor, tidy } from '../tensor/index.js';

/**
 * FreeMatch's self-adaptive threshold (Wang et al. 2023, eq. 5–8): τ(c) = τ · p̃(c) / max p̃, with τ the moving average
 * of the mean confidence and p̃ that of the mean prediction, both from 1/C.
 */
export class SelfAdaptiveThreshold {
  private readonly confidence: Tensor; // τ, ()
  private readonly expectation: Tensor; // p̃ (classes)

  constructor(
    classes: number,
    private readonly decay: number,
  ) {
    this.confidence = keep(full([], 1 / classes));
    this.expectation = keep(full([classes], 1 / classes));
  }

  /** Takes probabilities (N, classes) into account and returns 1 for each row above its class's threshold, else 0. */
  mask(probabilities: Tensor): Tensor {
    return tidy(() => {
      const rowConfidence = probabilities.amax(1);
      this.confidence.mulInPlace(this.decay).addInPlace(rowConfidence.mean(), 1 - this.decay);
      this.expectation.mulInPlace(this.decay).addInPlace(probabilities.mean([0]), 1 - this.decay);
      const thresholds = this.expectation.div(this.expectation.amax(0)).mul(this.confidence); // (classes)
      return rowConfidence.ge(thresholds.indexSelect(0, probabilities.argmax(1))).to('float32');
    });
  }

  state(): Map<string, Tensor> {
    return new Map([
      ['confidence', this.confidence],
      ['expectation', this.expectation],
    ]);
  }
}

/** 1 for each row of probabilities (N, classes) whose greatest is at least `threshold`, else 0 (FixMatch, eq. 4). */
export function fixedThresholdMask(probabilities: Tensor, threshold: number): Tensor {
  return tidy(() => probabilities.amax(1).ge(threshold).to('float32'));
}
