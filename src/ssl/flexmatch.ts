/**
 * FlexMatch (Zhang et al.: FlexMatch: Boosting SSL with Curriculum Pseudo Labeling, NeurIPS 2021): FixMatch with a
 * threshold for each class, lower for those that are learned less:
 *
 *     σ(c) = number of unlabeled images whose latest prediction above τ is c                                 (5)
 *     β(c) = σ(c) / max(max_c σ, N − Σ_c σ),  T(c) = β(c)/(2 − β(c)) · τ                             (6), (8), (12)
 *
 * N − Σσ, the images never predicted so surely, is the warm-up of the thresholds, which start at 0.
 */
import { z } from 'zod';
import { full, keep, oneHot, where } from '../tensor/index.js';
import { threshold } from './options.js';
import { weakToStrong, weakToStrongOptions } from './weak-to-strong.js';

const options = z.strictObject({ ...weakToStrongOptions, threshold: threshold(0.95) });
const NEVER = -1;

export const flexmatch = weakToStrong<z.output<typeof options>>({
  title: 'FlexMatch',
  citation: 'Zhang et al., FlexMatch: Boosting SSL with Curriculum Pseudo Labeling, NeurIPS 2021',
  summary: 'FixMatch with a threshold for each class, lower for those learned less',
  options,
  rule({ threshold: tau }, { classes, unlabeledImages }) {
    const latest = keep(full([unlabeledImages], NEVER, { dtype: 'int64' })); // sure prediction of each image
    return {
      label(q, unlabeledIndices) {
        const counts = latest
          .add(1)
          .countEach(classes + 1)
          .to('float32'); // N − Σσ, σ(0), σ(1), …
        const beta = counts.narrow(0, 1, classes).div(counts.amax(0)); // (12): (classes)
        const thresholds = beta.div(beta.neg().add(2)).mul(tau); // (8): (classes)
        const confidence = q.amax(1);
        const guess = q.argmax(1);
        const before = latest.indexSelect(0, unlabeledIndices);
        latest.indexCopyInPlace(0, unlabeledIndices, where(confidence.ge(tau), guess, before)); // (5)
        return {
          targets: oneHot(guess, classes),
          weights: confidence.ge(thresholds.indexSelect(0, guess)).to('float32'),
        };
      },
      state: () => new Map([['latest', latest]]),
    };
  },
});
