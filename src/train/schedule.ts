import type { Config } from '../config/index.js';

type ScheduleConfig = Pick<Config, 'optimizer' | 'steps'>;

/** η at a step (from 0): a linear warm-up from 0, then the schedule. */
export function learningRateAt(step: number, config: ScheduleConfig): number {
  const { learningRate, schedule, warmupSteps } = config.optimizer;
  const warmup = step < warmupSteps ? (step + 1) / (warmupSteps + 1) : 1;
  return learningRate * warmup * schedules[schedule](step, config);
}

/** What is left of the greatest learning rate at a step. */
const schedules: Record<Config['optimizer']['schedule'], (step: number, config: ScheduleConfig) => number> = {
  constant: () => 1,
  linear: (step, { steps }) => 1 - step / steps,
  cosine: (step, { steps }) => Math.cos(((7 / 16) * Math.PI * step) / steps), // FixMatch: never quite 0
  // The published FeatMatch code. It means to lower the momentum while the rate is high, to no effect; nor is it here.
  cycle: (step, { optimizer }) => {
    const { pretrainSteps, cycleSteps, endSteps } = optimizer.cycle;
    return piecewiseLinear(step, 1 / 100, [
      { steps: pretrainSteps, value: 1 / 10 },
      { steps: cycleSteps, value: 1 },
      { steps: cycleSteps, value: 1 / 10 },
      { steps: endSteps, value: 1 / 10_000 },
    ]);
  },
};

/** From `start` at step 0 in straight lines to the value of each piece at its end; from there on the last value. */
function piecewiseLinear(
  step: number,
  start: number,
  pieces: readonly { readonly steps: number; readonly value: number }[],
): number {
  let from = start;
  let left = step;
  for (const { steps, value } of pieces) {
    if (left < steps) return from + ((value - from) * left) / steps;
    left -= steps;
    from = value;
  }
  return from;
}
