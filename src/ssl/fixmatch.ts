/**
 * FixMatch (Sohn et al.: FixMatch: Simplifying Semi-Supervised Learning with Consistency and Confidence, NeurIPS 2020):
 *
 *     ℓ_u = 1/μB Σ_b 1(max q_b ≥ τ) H(q̂_b, p(A(u_b))),  q̂_b = argmax q_b                               (4)
 *
 * The authors: μ = 7 (batch.unlabeled), η = 0.03·cos(7πt/16T), Nesterov momentum 0.9, weight decay 5e-4, ema.decay 0.999.
 *
 * Deviation: labeled and unlabeled images are drawn apart; the authors' unlabeled images include the labeled ones.
 */
import { z } from 'zod';
import { oneHot } from '../tensor/index.js';
import { fixedThresholdMask } from './confidence-threshold.js';
import { threshold } from './options.js';
import { weakToStrong, weakToStrongOptions } from './weak-to-strong.js';

const options = z.strictObject({ ...weakToStrongOptions, threshold: threshold(0.95) });

export const fixmatch = weakToStrong<z.output<typeof options>>({
  title: 'FixMatch',
  citation: 'Sohn et al., FixMatch: Simplifying SSL with Consistency and Confidence, NeurIPS 2020',
  summary: 'sure answers on the weak view are the labels of a strong one',
  options,
  rule: ({ threshold: tau }, { classes }) => ({
    label: (q) => ({
      targets: oneHot(q.argmax(1), classes), // q̂_b
      weights: fixedThresholdMask(q, tau), // 1(max q_b ≥ τ)
    }),
  }),
});
