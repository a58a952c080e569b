/**
 * Manifold Mixup (Verma et al.: Manifold Mixup: Better Representations by Interpolating Hidden States, ICML 2019) in its
 * semi-supervised form: mixing at the input of a stage of the network that is drawn for each step, the images themselves
 * among them, in interpolation-consistency.ts. Without unlabeledWeight it is the supervised form. The values are the
 * authors' for CIFAR-10 with 4,000 labels.
 *
 * Deviation: the targets are those of a moving average of the network (ICT, by the same authors).
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
  labeledMixupAlpha: labeledMixupAlpha(0.1),
  mixupAlpha: mixupAlpha(2),
  unlabeledWeight: unlabeledWeight(1, 'w'),
  rampShare: rampShare(0.4),
  teacherDecay: decay(0.999, "the teacher's weights"),
});

export const manifoldMixup: Algorithm<z.output<typeof options>, ClassifierNetwork> = {
  title: 'Manifold Mixup',
  citation: 'Verma et al., Manifold Mixup: Better Representations by Interpolating Hidden States, ICML 2019',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 1, strong: 0 } }),
  passes: ({ labeledWeakViews, labeledStrongViews }) => ({
    labeled: labeledWeakViews + labeledStrongViews,
    unlabeled: 2, // teacher and student
  }),
  createNetwork: (_, context) => new ClassifierNetwork(context),
  createLearner: (own, context) => createInterpolationLearner(context, { ...own, mixes: 'any stage' }),
};
