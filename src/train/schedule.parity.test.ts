import { describe, expect, it } from 'vitest';
import { expectRelative, parityJson } from '../../test/support/parity.js';
import { learningRateAt } from './schedule.js';

/** A schedule and the learning rate at some steps of it. */
interface ParitySchedule {
  pretrain_iters: number;
  cycle_iters: number;
  end_iters: number;
  max_lr: number;
  points: [step: number, rate: number][];
}

const optimizer = {
  learningRate: 0.2,
  momentum: 0.9,
  nesterov: true,
  weightDecay: 0,
  warmupSteps: 0,
  cycle: { pretrainSteps: 2, cycleSteps: 4, endSteps: 3 },
};

describe('the learning rate', () => {
  it.each([
    { schedule: 'constant', rates: [0.2, 0.2, 0.2] },
    { schedule: 'linear', rates: [0.2, 0.1, 0.002] },
    // 0.2·cos(7π/16·t/T) for t/T = 0, 0.5, 0.99
    { schedule: 'cosine', rates: [0.2, 0.154602, 0.04171] },
  ] as const)('follows its schedule over all steps: $schedule', ({ schedule, rates }) => {
    const config = { optimizer: { ...optimizer, schedule }, steps: 100 };
    [0, 50, 99].forEach((step, i) => {
      expect(learningRateAt(step, config)).toBeCloseTo(rates[i], 6);
    });
  });

  it('of the cycle has four straight lines and then stays', () => {
    const config = { optimizer: { ...optimizer, schedule: 'cycle' } as const, steps: 100 };
    const rates = Array.from({ length: 15 }, (_, step) => learningRateAt(step, config) / 0.2);
    const expected = [0.01, 0.055, 0.1, 0.325, 0.55, 0.775, 1, 0.775, 0.55, 0.325, 0.1];
    const end = [0.1 - 0.0999 / 3, 0.1 - 0.0999 * (2 / 3), 0.0001, 0.0001];
    [...expected, ...end].forEach((rate, step) => {
      expect(rates[step]).toBeCloseTo(rate, 12);
    });
  });

  it.each(parityJson<ParitySchedule[]>('schedule.json'))(
    'is that of the published code over $pretrain_iters, $cycle_iters and $end_iters steps',
    ({ pretrain_iters, cycle_iters, end_iters, max_lr, points }) => {
      const cycle = { pretrainSteps: pretrain_iters, cycleSteps: cycle_iters, endSteps: end_iters };
      const config = {
        optimizer: { ...optimizer, learningRate: max_lr, schedule: 'cycle', cycle } as const,
        steps: pretrain_iters + 2 * cycle_iters + end_iters,
      };
      expect(points.length).toBeGreaterThan(0);
      for (const [step, rate] of points) expectRelative(learningRateAt(step, config), rate, 1e-9);
    },
  );

  it('rises linearly over the warm-up, and is never 0', () => {
    const config = { optimizer: { ...optimizer, schedule: 'constant', warmupSteps: 3 } as const, steps: 100 };
    const rates = [0, 1, 2, 3, 4].map((step) => learningRateAt(step, config));
    [0.05, 0.1, 0.15, 0.2, 0.2].forEach((rate, step) => {
      expect(rates[step]).toBeCloseTo(rate, 12);
    });
  });

  it('is that of the schedule times that of the warm-up', () => {
    const config = { optimizer: { ...optimizer, schedule: 'linear', warmupSteps: 4 } as const, steps: 10 };
    expect(learningRateAt(1, config)).toBeCloseTo(0.2 * (2 / 5) * (9 / 10), 12);
  });
});
