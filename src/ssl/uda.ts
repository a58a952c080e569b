/**
 * UDA (Xie, Dai, Hovy, Luong, Le: Unsupervised Data Augmentation for Consistency Training, NeurIPS 2020):
 *
 *     L = H(y, p(x)) + λ · 1/μB Σ_b 1(max q_b > β) KL(sharpen(q_b, τ) ‖ p(A(u_b))),  q_b = sg p(u_b)            (1), 2.4
 *
 * with confidence β = 0.8 and temperature τ = 0.4; μ = 7 (batch.unlabeled) in the comparisons of later papers. The
 * authors sharpen logits/τ, which is the same power of the probabilities.
 */
import { z } from 'zod';
import { klDivergencePerRow } from '../nn/index.js';
import { oneHot } from '../tensor/index.js';
import { fixedThresholdMask } from './confidence-threshold.js';
import { sharpen } from './equations.js';
import { temperature, threshold } from './options.js';
import { weakToStrong, weakToStrongOptions } from './weak-to-strong.js';

const options = z.strictObject({
  ...weakToStrongOptions,
  threshold: threshold(0.8),
  temperature: temperature(0.4),
});

export const uda = weakToStrong<z.output<typeof options>>({
  title: 'UDA',
  citation: 'Xie et al., Unsupervised Data Augmentation for Consistency Training, NeurIPS 2020',
  summary: 'sure, sharpened answers on the weak view teach a strong one',
  options,
  divergence: klDivergencePerRow,
  rule: ({ threshold: beta, temperature: T }, { classes }) => ({
    label: (q) => ({
      targets: T === 0 ? oneHot(q.argmax(1), classes) : sharpen(q, T),
      weights: fixedThresholdMask(q, beta),
    }),
  }),
});
