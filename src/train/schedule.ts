import type { Config } from '../config/index.js';

/** η at a step (from 0): a linear warm-up from 0, then the schedule over all steps. */
export function learningRateAt(
  step: number,
  { optimizer, steps }: Pick<Config, 'optimizer' | 'steps'>,
): number {
  const { learningRate, schedule, warmupSteps } = optimizer;
  const warmup = step < warmupSteps ? (step + 1) / (warmupSteps + 1) : 1;
  return learningRate * warmup * schedules[schedule](step / steps);
}

/** What is left of the learning rate when a share of all steps is done. */
const schedules: Record<Config['optimizer']['schedule'], (done: number) => number> = {
  constant: () => 1,
  linear: (done) => 1 - done,
  cosine: (done) => Math.cos((7 / 16) * Math.PI * done), // FixMatch: never quite 0
};
