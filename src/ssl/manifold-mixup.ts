/**
 * Manifold Mixup (Verma et al.: Manifold Mixup: Better Representations by Interpolating Hidden States, ICML 2019) in its
 * semi-supervised form: mixing at the input of a stage of the network that is drawn for each step, the images themselves
 * among them, in interpolation-consistency.ts. Without unlabeledWeight it is the supervised form. The values are the
 * authors' for CIFAR-10 with 4,000 labels.
 *
 * Deviation: the targets are those of a moving average of the network (ICT, by the same authors).
 */
import { interpolationConsistency } from './interpolation-consistency.js';

export const manifoldMixup = interpolationConsistency({
  title: 'Manifold Mixup',
  citation: 'Verma et al., Manifold Mixup: Better Representations by Interpolating Hidden States, ICML 2019',
  summary: "a mix of two hidden representations shall be answered by the mix of a teacher's answers",
  defaults: { labeledMixupAlpha: 0.1, mixupAlpha: 2, unlabeledWeight: 1, rampShare: 0.4 },
  mixes: 'any stage',
});
