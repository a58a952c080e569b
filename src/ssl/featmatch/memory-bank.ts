import { keep, type Tensor, zeros } from '../../tensor/index.js';
import type { RecordedFeatures } from './prototypes.js';

/** The features and pseudo-labels that training computed since prototypes were last made. Its memory is made once. */
export class MemoryBank {
  private readonly features: Tensor; // (capacity, f_dim)
  private readonly probabilities: Tensor; // (capacity, classes)
  private count = 0;

  constructor({
    capacity,
    featureDimension,
    classes,
  }: { capacity: number; featureDimension: number; classes: number }) {
    this.features = keep(zeros([capacity, featureDimension]));
    this.probabilities = keep(zeros([capacity, classes]));
  }

  /** Records features (N, f_dim) and their pseudo-labels (N, classes). @throws Error where they exceed the capacity */
  add(features: Tensor, probabilities: Tensor): void {
    const [rows] = features.shape;
    this.features.narrow(0, this.count, rows).copyInPlace(features);
    this.probabilities.narrow(0, this.count, rows).copyInPlace(probabilities);
    this.count += rows;
  }

  /** Everything recorded, or null. To be used inside `tidy`. */
  contents(): RecordedFeatures | null {
    if (this.count === 0) return null;
    return {
      features: this.features.narrow(0, 0, this.count),
      probabilities: this.probabilities.narrow(0, 0, this.count),
    };
  }

  clear(): void {
    this.count = 0;
  }
}
