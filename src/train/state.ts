/** Where training stands, beside what learns: with it, a run that is resumed goes on as if it had never stopped. */
import { Distribution, type SavedDistribution } from './distribution.js';
import type { Measurement } from './protocol.js';
import { RunningMeans, type SavedMeans } from './running-means.js';
import { type Effort, Stopwatch } from './stopwatch.js';

/** The part of a checkpoint that only training needs, as JSON. */
export interface SavedState {
  /** training steps done */
  readonly step: number;
  /** images through the network so far, counting each view */
  readonly images: number;
  /** of the training steps alone */
  readonly effort: Effort;
  readonly means: SavedMeans;
  readonly measurements: readonly Measurement[];
  /** bytes of metrics.jsonl that belong to it */
  readonly metricsLength: number;
  /** bytes of the event files that do */
  readonly eventsLength: number;
  /** confidences since they were last shown */
  readonly confidences: SavedDistribution;
}

/** Changed in place as training goes on. */
export class TrainingState {
  step: number;
  images: number;
  readonly stopwatch: Stopwatch;
  readonly means: RunningMeans;
  readonly measurements: Measurement[];
  readonly confidences: Distribution;

  /** @param saved nothing to begin with the first step */
  constructor(saved?: SavedState) {
    this.step = saved?.step ?? 0;
    this.images = saved?.images ?? 0;
    this.stopwatch = new Stopwatch(saved?.effort);
    this.means = new RunningMeans(saved?.means);
    this.measurements = [...(saved?.measurements ?? [])];
    this.confidences = new Distribution(saved?.confidences);
  }

  save(lengths: Pick<SavedState, 'metricsLength' | 'eventsLength'>): SavedState {
    const { step, images, stopwatch, means, measurements, confidences } = this;
    const { seconds, cpuSeconds } = stopwatch;
    return {
      step,
      images,
      effort: { seconds, cpuSeconds },
      means: means.save(),
      measurements,
      confidences: confidences.save(),
      ...lengths,
    };
  }
}
