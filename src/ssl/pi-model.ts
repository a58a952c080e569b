/**
 * Π-Model (Laine and Aila: Temporal Ensembling for Semi-Supervised Learning, ICLR 2017, algorithm 1):
 *
 *     L = H(y, p(x)) + w(t) · ‖p(u₁) − sg p(u₂)‖²
 *
 * u₁ and u₂ are two weak views. w and its linear ramp are those of Oliver et al. 2018 (CIFAR-10) and of Berthelot et
 * al. (MixMatch, FixMatch), whose code stops the gradient at one of the views.
 *
 * Deviations: consistency is of the unlabeled images alone; the second view has a pass of its own without gradients.
 */
import { z } from 'zod';
import { crossEntropy, meanSquaredError } from '../nn/index.js';
import { concatenate, noGrad, tidy } from '../tensor/index.js';
import type { Algorithm } from './algorithm.js';
import { repeatPerView } from './batch.js';
import { ClassifierNetwork } from './classifier-network.js';
import { linearRamp } from './equations.js';
import { labeledViews, passesOfLabeled, rampShare, unlabeledWeight, viewsOfLabeled } from './options.js';

const options = z.strictObject({
  ...labeledViews({ weak: 1, strong: 0 }),
  unlabeledWeight: unlabeledWeight(20, 'w'),
  rampShare: rampShare(0.4),
});

export const piModel: Algorithm<z.output<typeof options>, ClassifierNetwork> = {
  title: 'Π-Model',
  citation: 'Laine and Aila, Temporal Ensembling for Semi-Supervised Learning, ICLR 2017',
  summary: 'two weak views of an image shall be answered alike',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 2, strong: 0 } }),
  passes: (own) => ({
    labeled: passesOfLabeled(own),
    unlabeled: { learning: 1, guessing: 1 },
  }),
  createNetwork: (_, context) => new ClassifierNetwork(context),
  createLearner: ({ unlabeledWeight, rampShare }, { network, steps }) => ({
    step: ({ labeled, labels, unlabeled }, step) =>
      tidy(() => {
        const { count } = unlabeled;
        const [u_1, u_2] = unlabeled.weak.split([count, count]); // (μB, C, H, W) each
        const target = noGrad(() => network.probabilities(u_2));
        const logits = network.forward(concatenate([labeled.images, u_1]));
        const [ofLabeled, ofUnlabeled] = logits.split([labeled.images.shape[0], count]);

        const y = repeatPerView(labels, labeled.images.shape[0] / labeled.count);
        const lossClf = crossEntropy(ofLabeled, y);
        const lossCon = meanSquaredError(ofUnlabeled.softmax(1), target);
        const loss = lossClf.add(lossCon.mul(unlabeledWeight * linearRamp(step, rampShare * steps)));
        return { loss, metrics: { loss, lossClf, lossCon } };
      }),
    predict: (evaluated, images) => evaluated.probabilities(images),
    state: () => new Map(),
    load() {},
  }),
};
