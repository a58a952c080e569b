/** Means over the batches so far, of whatever a batch has. */
import { full, keep, type Tensor, zeros } from '../tensor/index.js';

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

/** The mean of the latest `size` samples (classes), each 1/C before there are so many. */
export class MovingWindow implements RunningMean {
  readonly value: Tensor;
  private readonly samples: Tensor; // (size, classes)
  private readonly next: Tensor; // the row to replace, (), int64

  constructor(
    private readonly size: number,
    classes: number,
  ) {
    this.samples = keep(full([size, classes], 1 / classes));
    this.value = keep(full([classes], 1 / classes));
    this.next = keep(zeros([], { dtype: 'int64' }));
  }

  add(sample: Tensor): void {
    const row = this.next.item();
    this.samples.narrow(0, row, 1).copyInPlace(sample);
    this.next.fillInPlace((row + 1) % this.size);
    this.value.copyInPlace(this.samples.mean([0]));
  }

  state(): Map<string, Tensor> {
    return new Map([
      ['mean', this.value],
      ['samples', this.samples],
      ['next', this.next],
    ]);
  }
}
