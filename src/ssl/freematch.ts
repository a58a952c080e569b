/**
 * FreeMatch (Wang et al.: FreeMatch: Self-adaptive Thresholding for Semi-supervised Learning, ICLR 2023): FixMatch with
 * thresholds that follow the network's confidence (confidence-threshold.ts) and a term for even predictions:
 *
 *     p̄ = 1/μB Σ_b 1(max q_b ≥ τ(c)) p(A(u_b)),  h̄ = histogram of argmax p(A(u_b)) over the same images       (9)
 *     L_f = Σ_c SumNorm(p̃/h̃)_c · log SumNorm(p̄/h̄)_c,  L = L_s + w_u L_u + w_f L_f                       (11), (12)
 *
 * p̃ and h̃ are moving averages, from 1/C, of the mean prediction and of the histogram of q's classes (10). As in the
 * authors' code a class that no image is predicted as has p̄/h̄ = 0, and L_f = 0 where no label counts.
 */
import { z } from 'zod';
import { oneHot, type Tensor, tidy, where, zeros } from '../tensor/index.js';
import { SelfAdaptiveThreshold } from './confidence-threshold.js';
import { MovingAverage } from './moving-average.js';
import { decay } from './options.js';
import { joinStates } from './state.js';
import { weakToStrong, weakToStrongOptions } from './weak-to-strong.js';

const options = z.strictObject({
  ...weakToStrongOptions,
  fairnessWeight: z
    .number()
    .nonnegative()
    .default(0.001)
    .describe('weight of the term for even predictions, w_f'),
  averageDecay: decay(0.999, 'thresholds and class shares, λ'),
});

export const freematch = weakToStrong<z.output<typeof options>>({
  title: 'FreeMatch',
  citation: 'Wang et al., FreeMatch: Self-adaptive Thresholding for SSL, ICLR 2023',
  summary: "FixMatch with thresholds that follow the network's confidence",
  options,
  rule({ fairnessWeight, averageDecay }, { classes }) {
    const adaptive = new SelfAdaptiveThreshold(classes, averageDecay);
    const histogram = new MovingAverage([classes], { decay: averageDecay, start: 1 / classes }); // h̃
    return {
      label(q) {
        const targets = oneHot(q.argmax(1), classes);
        histogram.add(targets.mean([0])); // (10)
        return { targets, weights: adaptive.mask(q) };
      },
      regularize: (logits, counts) =>
        tidy(() => {
          if (counts.sum().item() === 0) return zeros([]);
          const p = logits.softmax(1);
          const which = counts.unsqueeze(1);
          const p_mean = p.mul(which).mean([0]); // (9)
          const h_mean = oneHot(p.argmax(1), classes).mul(which).mean([0]);
          const expected = normalize(adaptive.meanPrediction.div(histogram.value)).detach();
          const predicted = normalize(divideOrZero(p_mean, h_mean));
          return expected.mul(predicted.add(1e-12).log()).sum().mul(fairnessWeight); // (11)
        }),
      state: () => joinStates({ threshold: adaptive.state(), histogram: histogram.state() }),
    };
  },
});

/** SumNorm. */
const normalize = (shares: Tensor) => shares.div(shares.sum());

const divideOrZero = (dividend: Tensor, divisor: Tensor) =>
  where(divisor.gt(0), dividend.div(divisor.clamp(1e-12, null)), dividend.mul(0));
