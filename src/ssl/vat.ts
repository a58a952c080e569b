/**
 * Virtual Adversarial Training (Miyato, Maeda, Koyama, Ishii, TPAMI 2018):
 *
 *     g = ∇_d KL(p(u) ‖ p(u + ξd)),  r_adv = ε·g/‖g‖                                     (7)–(10), by power iteration
 *     L = H(y, p(x)) + w(t) · KL(sg p(u) ‖ p(u + r_adv)) + w_ent · H(p(u), p(u))
 *
 * from a random unit vector d. The perturbed passes normalize by their batch and move no running statistics. ε is in
 * units of normalized pixels; the weights and the linear ramp are those of Berthelot et al. (MixMatch, FixMatch).
 *
 * Deviation: consistency is of the unlabeled images alone.
 */
import { z } from 'zod';
import { crossEntropy, crossEntropyPerRow, klDivergencePerRow, withFrozenStatistics } from '../nn/index.js';
import { concatenate, gradients, normal, type Tensor, tidy } from '../tensor/index.js';
import type { Algorithm } from './algorithm.js';
import { repeatPerView } from './batch.js';
import { ClassifierNetwork } from './classifier-network.js';
import { linearRamp } from './equations.js';
import { labeledViews, passesOfLabeled, rampShare, unlabeledWeight, viewsOfLabeled } from './options.js';

const options = z.strictObject({
  ...labeledViews({ weak: 1, strong: 0 }),
  epsilon: z.number().nonnegative().default(6).describe('length of the perturbation of an image, ε'),
  xi: z.number().positive().default(1e-6).describe('length of the step that looks for its direction, ξ'),
  powerIterations: z.int().min(1).default(1).describe('such steps, K'),
  unlabeledWeight: unlabeledWeight(0.3, 'w'),
  rampShare: rampShare(0.4),
  entropyWeight: z.number().nonnegative().default(0.06).describe('weight of the entropy of predictions'),
});

export const vat: Algorithm<z.output<typeof options>, ClassifierNetwork> = {
  title: 'VAT',
  citation: 'Miyato et al., Virtual Adversarial Training, TPAMI 2018',
  summary: 'answers shall not change under the small perturbation that changes them most',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 1, strong: 0 } }),
  passes: (own) => ({
    labeled: passesOfLabeled(own),
    unlabeled: { learning: 2 + own.powerIterations, guessing: 0 }, // clean, to find the direction, perturbed
  }),
  createNetwork: (_, context) => new ClassifierNetwork(context),
  createLearner(own, { network, generator, steps }) {
    /** KL(p ‖ p(images)), averaged over the images. */
    const divergence = (images: Tensor, p: Tensor) =>
      withFrozenStatistics(() => klDivergencePerRow(network.forward(images), p).mean());

    /** g/‖g‖ (N, C, H, W) for p = p(u). */
    function adversarialDirection(u: Tensor, p: Tensor): Tensor {
      let d = unitLength(normal(u.shape, 0, 1, { generator }));
      for (let iteration = 0; iteration < own.powerIterations; iteration++) {
        const step = d.mul(own.xi);
        step.requiresGrad = true;
        const [g] = gradients([divergence(u.add(step), p)], [step]);
        d = unitLength(g as Tensor);
      }
      return d;
    }

    return {
      step: ({ labeled, labels, unlabeled }, step) =>
        tidy(() => {
          const u = unlabeled.weak;
          const logits = network.forward(concatenate([labeled.images, u]));
          const [ofLabeled, ofUnlabeled] = logits.split([labeled.images.shape[0], unlabeled.count]);
          const p = ofUnlabeled.softmax(1);
          const r_adv = tidy(() => adversarialDirection(u, p.detach()).mul(own.epsilon));

          const y = repeatPerView(labels, labeled.images.shape[0] / labeled.count);
          const lossClf = crossEntropy(ofLabeled, y);
          const lossCon = divergence(u.add(r_adv), p.detach());
          const lossEntropy = crossEntropyPerRow(ofUnlabeled, p).mean();
          const w = own.unlabeledWeight * linearRamp(step, own.rampShare * steps);
          const loss = lossClf.add(lossCon.mul(w)).add(lossEntropy.mul(own.entropyWeight));
          return { loss, metrics: { loss, lossClf, lossCon, lossEntropy } };
        }),
      predict: (evaluated, images) => evaluated.probabilities(images),
      state: () => new Map(),
      load() {},
    };
  },
};

/** Each of (N, C, H, W) divided by its Euclidean norm; first by its greatest element, as squares of tiny ones are 0. */
function unitLength(vectors: Tensor): Tensor {
  return tidy(() => {
    const rows = vectors.flatten(1);
    const scaled = rows.div(rows.abs().amax(1, true).clamp(1e-30, null));
    return scaled.div(scaled.norm([1], true).clamp(1e-12, null)).reshape(...vectors.shape);
  });
}
