/**
 * FeatMatch (Kuo, Ma, Huang, Kira: FeatMatch: Feature-Based Augmentation for Semi-Supervised Learning, ECCV 2020):
 *
 *     L_total = L_clf + λ_g L_con-g + λ_f L_con-f                                                        (7)
 *
 * with the cross-entropies (4), (5) and (6) of weak-to-strong.ts on the two paths of features in feature-paths.ts. What
 * is here is how a pseudo-label is made.
 *
 * Deviations from the paper, each an option: labeled images are also classified by their plain features
 * (plainLabeledWeight), pseudo-labels may come from the average of the weights, be aligned, made one-hot or left out
 * below a confidence. Labeled prototypes are made from clean images in evaluation mode, as in the published code.
 */
import { oneHot } from '../../tensor/index.js';
import type { Algorithm, LearnerContext } from '../algorithm.js';
import { fixedThresholdMask, SelfAdaptiveThreshold } from '../confidence-threshold.js';
import { DistributionAlignment } from '../distribution-alignment.js';
import { linearRamp, sharpen } from '../equations.js';
import { MovingAverage } from '../moving-average.js';
import { viewsOfLabeled } from '../options.js';
import { joinStates } from '../state.js';
import { createWeakToStrongLearner, type LabelingRule, passesFromWeakToStrong } from '../weak-to-strong.js';
import { FeatMatchNetwork } from './network.js';
import { type FeatMatchOptions, featMatchOptions } from './options.js';

const MOVING_AVERAGE_DECAY = 0.99; // of the class distribution and of adaptive thresholds

/** Aligned, then sharpened; what is below the threshold does not count. */
function labelingRule(
  { temperature, threshold, adaptiveThreshold, distributionAlignment }: FeatMatchOptions,
  { classes, labelDistribution }: LearnerContext<FeatMatchNetwork>,
): LabelingRule {
  const mean = new MovingAverage([classes], { decay: MOVING_AVERAGE_DECAY, start: 1 / classes });
  const alignment = distributionAlignment ? new DistributionAlignment(labelDistribution, mean) : null;
  const adaptive = adaptiveThreshold ? new SelfAdaptiveThreshold(classes, MOVING_AVERAGE_DECAY) : null;
  return {
    label(p_g) {
      const aligned = alignment?.align(p_g) ?? p_g;
      return {
        weights: adaptive?.mask(aligned) ?? fixedThresholdMask(aligned, threshold),
        targets: temperature === 0 ? oneHot(aligned.argmax(1), classes) : sharpen(aligned, temperature),
      };
    },
    state: () =>
      joinStates({
        ...(alignment === null ? {} : { alignment: alignment.state() }),
        ...(adaptive === null ? {} : { threshold: adaptive.state() }),
      }),
  };
}

export const featmatch: Algorithm<FeatMatchOptions, FeatMatchNetwork> = {
  title: 'FeatMatch',
  citation: 'Kuo et al., FeatMatch: Feature-Based Augmentation for Semi-Supervised Learning, ECCV 2020',
  summary: 'strong views learn from weak ones, with features as they are and refined by class prototypes',
  options: featMatchOptions,
  views: (options) => ({
    labeled: viewsOfLabeled(options),
    unlabeled: { weak: 1, strong: options.strongViews },
  }),
  passes: passesFromWeakToStrong,
  createNetwork: (options, context) => new FeatMatchNetwork(options, context),
  createLearner: (options, context) =>
    createWeakToStrongLearner(context, {
      rule: labelingRule(options, context),
      unlabeledWeight: (step) => linearRamp(step, options.rampSteps),
      pseudoLabels: options.pseudoLabels,
      augmentation: options,
    }),
};
