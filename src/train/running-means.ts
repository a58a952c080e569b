import { tensor, tidy } from '../tensor/index.js';
import type { World } from './distributed/world.js';

/** Means of the metrics since they were last taken. */
export class RunningMeans {
  private sums: Record<string, number> = {};
  private count = 0;

  /** @param saved to go on where another one was */
  constructor(saved?: SavedMeans) {
    if (saved === undefined) return;
    this.count = saved.count;
    this.sums = mapValues(saved.sums, Number);
  }

  add(metrics: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(metrics)) this.sums[name] = (this.sums[name] ?? 0) + value;
    this.count++;
  }

  /** All processes have the same from then on: what they have together. */
  average(world: World): void {
    const names = Object.keys(this.sums);
    if (world.size === 1 || names.length === 0) return;
    const means = tidy(() => {
      const sums = tensor(Object.values(this.sums), [names.length], 'float64');
      world.average([sums]);
      return sums.numbers();
    });
    this.sums = Object.fromEntries(names.map((name, i) => [name, means[i]]));
  }

  take(): Record<string, number> {
    const means = mapValues(this.sums, (sum) => sum / this.count);
    this.sums = {};
    this.count = 0;
    return means;
  }

  save(): SavedMeans {
    return { count: this.count, sums: mapValues(this.sums, String) };
  }
}

/** As JSON can hold it. Sums are texts, exact to the last bit, since a metric may be infinite or not a number. */
export interface SavedMeans {
  readonly count: number;
  readonly sums: Readonly<Record<string, string>>;
}

function mapValues<From, To>(
  values: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}
