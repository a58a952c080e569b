import { type Tensor, tidy } from '../tensor/index.js';
import { MovingAverage } from './moving-average.js';

/**
 * FreeMatch's self-adaptive threshold (Wang et al. 2023, eq. 5–8): τ(c) = τ · p̃(c) / max p̃, with τ the moving average
 * of the mean confidence and p̃ that of the mean prediction, both from 1/C.
 */
export class SelfAdaptiveThreshold {
  private readonly confidence: MovingAverage; // τ, ()
  private readonly expectation: MovingAverage; // p̃ (classes)

  constructor(classes: number, decay: number) {
    this.confidence = new MovingAverage([], { decay, start: 1 / classes });
    this.expectation = new MovingAverage([classes], { decay, start: 1 / classes });
  }

  /** p̃, the expected share of each class (classes) */
  get meanPrediction(): Tensor {
    return this.expectation.value;
  }

  /** Takes probabilities (N, classes) into account and returns 1 for each row above its class's threshold, else 0. */
  mask(probabilities: Tensor): Tensor {
    return tidy(() => {
      const rowConfidence = probabilities.amax(1);
      this.confidence.add(rowConfidence.mean()); // (5)
      this.expectation.add(probabilities.mean([0])); // (6)
      const relative = this.meanPrediction.div(this.meanPrediction.amax(0)); // p̃ / max p̃
      const thresholds = relative.mul(this.confidence.value); // (7): (classes)
      return rowConfidence.ge(thresholds.indexSelect(0, probabilities.argmax(1))).to('float32'); // (8)
    });
  }

  state(): Map<string, Tensor> {
    return new Map([
      ['confidence', this.confidence.value],
      ['expectation', this.expectation.value],
    ]);
  }
}

/** 1 for each row of probabilities (N, classes) whose greatest is at least `threshold`, else 0 (FixMatch, eq. 4). */
export function fixedThresholdMask(probabilities: Tensor, threshold: number): Tensor {
  return tidy(() => probabilities.amax(1).ge(threshold).to('float32'));
}
