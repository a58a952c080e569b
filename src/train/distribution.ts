import type { Histogram } from '../runs/index.js';

const BUCKETS = 40;

/** Numbers 0…1 counted in equally wide buckets, since it was last taken. */
export class Distribution {
  private counts: number[];
  private sum: number;
  private sumOfSquares: number;

  /** @param saved to go on where another one was */
  constructor(saved?: SavedDistribution) {
    this.counts = [...(saved?.counts ?? Array<number>(BUCKETS).fill(0))];
    this.sum = saved?.sum ?? 0;
    this.sumOfSquares = saved?.sumOfSquares ?? 0;
  }

  add(numbers: Float32Array): void {
    for (const number of numbers) {
      this.counts[Math.min(Math.floor(number * BUCKETS), BUCKETS - 1)]++;
      this.sum += number;
      this.sumOfSquares += number * number;
    }
  }

  /** Null of no numbers. Least and greatest are known to a bucket. */
  take(): Histogram | null {
    const { counts, sum, sumOfSquares } = this;
    const count = counts.reduce((total, inside) => total + inside, 0);
    if (count === 0) return null;
    this.counts = Array<number>(BUCKETS).fill(0);
    this.sum = 0;
    this.sumOfSquares = 0;
    return {
      min: counts.findIndex((inside) => inside > 0) / BUCKETS,
      max: (counts.findLastIndex((inside) => inside > 0) + 1) / BUCKETS,
      count,
      sum,
      sumOfSquares,
      limits: counts.map((_, bucket) => (bucket + 1) / BUCKETS),
      counts,
    };
  }

  save(): SavedDistribution {
    const { counts, sum, sumOfSquares } = this;
    return { counts, sum, sumOfSquares };
  }
}

/** As JSON can hold it. */
export interface SavedDistribution {
  readonly counts: readonly number[];
  readonly sum: number;
  readonly sumOfSquares: number;
}
