import { describe, expect, it } from 'vitest';
import { learningRateAt } from './schedule.js';

const optimizer = { learningRate: 0.2, momentum: 0.9, nesterov: true, weightDecay: 0, warmupSteps: 0 };

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
