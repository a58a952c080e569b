/**
 * Pseudo-Label (Lee: Pseudo-Label: The Simple and Efficient Semi-Supervised Learning Method, ICML workshop 2013):
 *
 *     L = H(y, p(x)) + α(t) · 1/N Σ_b 1(max p(u_b) ≥ τ) H(argmax p(u_b), p(u_b))
 *
 * the label and what learns it being the same weak view. The threshold and the linear ramp of α are those of Oliver et
 * al. 2018 and Berthelot et al. (MixMatch, FixMatch); the mean is over the whole batch.
 *
 * Deviation: with pseudoLabels 'no-grad' or 'average' the label comes from another pass over that view.
 */
import { z } from 'zod';
import { oneHot } from '../tensor/index.js';
import { fixedThresholdMask } from './confidence-threshold.js';
import { linearRamp } from './equations.js';
import { rampShare, threshold } from './options.js';
import { weakToStrong, weakToStrongOptions } from './weak-to-strong.js';

const { strongViews: _, ...sharedOptions } = weakToStrongOptions;
const options = z.strictObject({ ...sharedOptions, threshold: threshold(0.95), rampShare: rampShare(0.4) });

export const pseudoLabel = weakToStrong<z.output<typeof options>>({
  title: 'Pseudo-Label',
  citation: 'Lee, Pseudo-Label: The Simple and Efficient SSL Method for Deep Neural Networks, 2013',
  summary: 'sure answers are taken as labels of the same view',
  options,
  ramp: (own, step, steps) => linearRamp(step, own.rampShare * steps),
  rule: ({ threshold: tau }, { classes }) => ({
    label: (q) => ({ targets: oneHot(q.argmax(1), classes), weights: fixedThresholdMask(q, tau) }),
  }),
});
