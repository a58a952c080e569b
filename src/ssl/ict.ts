/**
 * Interpolation Consistency Training (Verma, Lamb, Kannala, Bengio, Lopez-Paz, IJCAI 2019): mixing images, in
 * interpolation-consistency.ts. As in the authors' code labeled images are mixed as well, one λ is drawn a batch for
 * each part, and w grows over the first quarter of training; α of both is theirs for CIFAR-10 (0.1 for SVHN).
 *
 * Deviations: w grows linearly, not by exp(−5(1 − t)²); the teacher normalizes by its averaged statistics.
 */
import { interpolationConsistency } from './interpolation-consistency.js';

export const ict = interpolationConsistency({
  title: 'ICT',
  citation: 'Verma et al., Interpolation Consistency Training for Semi-Supervised Learning, IJCAI 2019',
  summary: "a mix of two images shall be answered by the mix of a teacher's answers",
  defaults: { labeledMixupAlpha: 1, mixupAlpha: 1, unlabeledWeight: 100, rampShare: 0.25 },
  mixes: 'images',
});
