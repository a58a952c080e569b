/**
 * MixMatch (Berthelot et al.: MixMatch: A Holistic Approach to Semi-Supervised Learning, NeurIPS 2019):
 *
 *     q̄_b = 1/K Σ_k p(û_b,k),  q_b = Sharpen(q̄_b, T)                                                    (6), (7)
 *     λ' = max(λ, 1 − λ), λ ~ Beta(α, α);  x' = λ'x_1 + (1 − λ')x_2,  p' = λ'p_1 + (1 − λ')p_2           (8)–(11)
 *     L = 1/|X'| Σ H(p, p(x)) + λ_u · 1/(L|U'|) Σ ‖q − p(u)‖²                                            (3)–(5)
 *
 * Each row of labeled and unlabeled views is mixed with one of their shuffled union. As in the authors' code guessing
 * moves no running statistics, and the training pass is interleaved. λ_u: 75 for CIFAR-10, 150 for CIFAR-100, 250 for
 * SVHN; it grows over 1/64 of training, 16,000 of the authors' 1,048,576 steps.
 *
 * Deviation: interleaving spreads all kinds of images evenly over every part, not only over the first.
 */
import { z } from 'zod';
import { crossEntropy, meanSquaredError, withFrozenStatistics } from '../nn/index.js';
import { concatenate, noGrad, oneHot, type Tensor, tidy } from '../tensor/index.js';
import type { Algorithm } from './algorithm.js';
import { allCount } from './assigned-labels.js';
import { repeatPerView } from './batch.js';
import { ClassifierNetwork } from './classifier-network.js';
import { linearRamp, sharpen } from './equations.js';
import { forwardInterleaved } from './interleave.js';
import { drawMixing, mix } from './mixing.js';
import {
  labeledViews,
  mixupAlpha,
  passesOfLabeled,
  rampShare,
  temperature,
  unlabeledWeight,
  viewsOfLabeled,
} from './options.js';

const options = z.strictObject({
  ...labeledViews({ weak: 1, strong: 0 }),
  weakViews: z.int().min(1).default(2).describe('weak views of each unlabeled image, K'),
  temperature: temperature(0.5),
  mixupAlpha: mixupAlpha(0.75),
  unlabeledWeight: unlabeledWeight(75, 'λ_u'),
  rampShare: rampShare(1 / 64),
});

export const mixmatch: Algorithm<z.output<typeof options>, ClassifierNetwork> = {
  title: 'MixMatch',
  citation: 'Berthelot et al., MixMatch: A Holistic Approach to Semi-Supervised Learning, NeurIPS 2019',
  summary: 'sharpened answers over weak views, everything mixed with everything',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: own.weakViews, strong: 0 } }),
  passes: (own) => ({
    labeled: passesOfLabeled(own),
    unlabeled: { learning: own.weakViews, guessing: own.weakViews },
  }),
  createNetwork: (_, context) => new ClassifierNetwork(context),
  createLearner(own, { network, classes, generator, steps }) {
    /** q (μB, classes) from all views (K·μB, C, H, W). */
    const guess = (views: Tensor, count: number) =>
      tidy(() => {
        const p = withFrozenStatistics(() => network.probabilities(views));
        const q_mean = p.reshape(own.weakViews, count, classes).mean([0]); // (6)
        return own.temperature === 0 ? oneHot(q_mean.argmax(1), classes) : sharpen(q_mean, own.temperature); // (7)
      });

    return {
      step: ({ labeled, labels, unlabeled }, step) =>
        tidy(() => {
          const rows = { labeled: labeled.images.shape[0], unlabeled: unlabeled.weak.shape[0] };
          const q = noGrad(() => guess(unlabeled.weak, unlabeled.count));
          const images = concatenate([labeled.images, unlabeled.weak]);
          const targets = concatenate([
            repeatPerView(oneHot(labels, classes), rows.labeled / labeled.count),
            repeatPerView(q, own.weakViews),
          ]);
          const mixing = drawMixing(images.shape[0], {
            alpha: own.mixupAlpha,
            generator,
            perRow: true,
            dominant: true,
          }); // (8), (9)
          const parts = 1 + own.weakViews;
          const logits = forwardInterleaved((part) => network.forward(part), mix(images, mixing), parts); // (10)
          const [ofLabeled, ofUnlabeled] = logits.split([rows.labeled, rows.unlabeled]);
          const [p, q_mixed] = mix(targets, mixing).split([rows.labeled, rows.unlabeled]); // (11)

          const lossClf = crossEntropy(ofLabeled, p); // (3)
          const lossCon = meanSquaredError(ofUnlabeled.softmax(1), q_mixed); // (4)
          const lambda_u = own.unlabeledWeight * linearRamp(step, own.rampShare * steps);
          const loss = lossClf.add(lossCon.mul(lambda_u)); // (5)
          const pseudoLabels = allCount(q);
          const confidence = pseudoLabels.confidence.mean();
          return { loss, metrics: { loss, lossClf, lossCon, confidence }, pseudoLabels };
        }),
      predict: (evaluated, images) => evaluated.probabilities(images),
      state: () => new Map(),
      load() {},
    };
  },
};
