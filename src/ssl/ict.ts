/**
 * Interpolation Consistency Training (Verma, Lamb, Kannala, Bengio, Lopez-Paz, IJCAI 2019): mixing images, in
 * interpolation-consistency.ts. As in the authors' code labeled images are mixed as well, one λ is drawn a batch for
 * each part, and w grows over the first quarter of training; α of both is theirs for CIFAR-10 (0.1 for SVHN).
 *
 * Deviations: w grows linearly, not by exp(−5(1 − t)²); the teacher normalizes by its averaged statistics.
 */
import { z } from 'zod';
import type { Algorithm } from './algorithm.js';
import { ClassifierNetwork } from './classifier-network.js';
import { createInterpolationLearner } from './interpolation-consistency.js';
import {
  decay,
  labeledMixupAlpha,
  labeledViews,
  mixupAlpha,
  rampShare,
  unlabeledWeight,
  viewsOfLabeled,
} from './options.js';

const options = z.strictObject({
  ...labeledViews({ weak: 1, strong: 0 }),
  labeledMixupAlpha: labeledMixupAlpha(1),
  mixupAlpha: mixupAlpha(1),
  unlabeledWeight: unlabeledWeight(100, 'w'),
  rampShare: rampShare(0.25),
  teacherDecay: decay(0.999, "the teacher's weights"),
});

export const ict: Algorithm<z.output<typeof options>, ClassifierNetwork> = {
  title: 'ICT',
  citation: 'Verma et al., Interpolation Consistency Training for Semi-Supervised Learning, IJCAI 2019',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 1, strong: 0 } }),
  passes: ({ labeledWeakViews, labeledStrongViews }) => ({
    labeled: labeledWeakViews + labeledStrongViews,
    unlabeled: 2, // teacher and student
  }),
  createNetwork: (_, context) => new ClassifierNetwork(context),
  createLearner: (own, context) => createInterpolationLearner(context, { ...own, mixes: 'images' }),
};
