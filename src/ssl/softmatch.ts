/**
 * SoftMatch (Chen et al.: SoftMatch: Addressing the Quantity-Quality Trade-off in SSL, ICLR 2023): FixMatch with a
 * weight in place of the threshold, a Gaussian below the mean confidence and 1 above it:
 *
 *     w_b = exp(−min(max q_b − μ, 0)² · n² / 2σ²)                                                   (7), λ_max = 1
 *
 * μ and σ² are moving averages, from 1/C and 1, of the batch's mean confidence and its variance (unbiased) (8). For the
 * weight alone q is aligned to an even distribution (9). n = 2 is the authors' code's: half of the σ that the paper has.
 *
 * Deviation: the mean prediction of the alignment starts at 1/C instead of the first batch's.
 */
import { z } from 'zod';
import { oneHot } from '../tensor/index.js';
import { DistributionAlignment } from './distribution-alignment.js';
import { MovingAverage } from './moving-average.js';
import { decay } from './options.js';
import { joinStates } from './state.js';
import { weakToStrong, weakToStrongOptions } from './weak-to-strong.js';

const options = z.strictObject({
  ...weakToStrongOptions,
  averageDecay: decay(0.999, 'confidence and class shares, m'),
  sigmas: z.number().positive().default(2).describe('standard deviations that one of the Gaussian is, n'),
});

export const softmatch = weakToStrong<z.output<typeof options>>({
  title: 'SoftMatch',
  citation: 'Chen et al., SoftMatch: Addressing the Quantity-Quality Trade-off in SSL, ICLR 2023',
  summary: 'FixMatch with a weight by confidence in place of the threshold',
  options,
  rule({ averageDecay, sigmas }, { classes }) {
    const averageOf = (shape: readonly number[], start: number) =>
      new MovingAverage(shape, { decay: averageDecay, start });
    const mean = averageOf([], 1 / classes); // μ
    const variance = averageOf([], 1); // σ²
    const even = Array<number>(classes).fill(1 / classes);
    const alignment = new DistributionAlignment(even, averageOf([classes], 1 / classes));
    return {
      label(q) {
        const confidence = alignment.align(q).amax(1); // (9)
        const [rows] = confidence.shape;
        const deviations = confidence.sub(confidence.mean());
        mean.add(confidence.mean()); // (8)
        variance.add(
          deviations
            .pow(2)
            .sum()
            .div(Math.max(1, rows - 1)),
        );
        const below = confidence.sub(mean.value).clamp(null, 0);
        const exponents = below.pow(2).div(variance.value.mul(2 / sigmas ** 2)); // (7)
        return { targets: oneHot(q.argmax(1), classes), weights: exponents.neg().exp() };
      },
      state: () =>
        joinStates({ mean: mean.state(), variance: variance.state(), alignment: alignment.state() }),
    };
  },
});
