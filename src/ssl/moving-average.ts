/** Means over the batches so far, of whatever a batch has. */
import { full, keep, type Tensor } from '../tensor/index.js';

/** A mean over time that lives as long as its owner. */
export interface RunningMean {
  /** the mean, changed in place */
  readonly value: Tensor;
  /** Takes what a batch has into account. */
  add(sample: Tensor): void;
  state(): Map<string, Tensor>;
}

/** m ← αm + (1 − α)·sample. */
export class MovingAverage implements RunningMean {
  readonly value: Tensor;

  /** @param shape of the samples @param options.start the mean before any */
  constructor(
    shape: readonly number[],
    private readonly options: { decay: number; start: number },
  ) {
    this.value = keep(full(shape, options.start));
  }

  add(sample: Tensor): void {
    const { decay } = this.options;
    this.value.mulInPlace(decay).addInPlace(sample, 1 - decay);
  }

  state(): Map<string, Tensor> {
    return new Map([['mean', this.value]]);
  }
}
