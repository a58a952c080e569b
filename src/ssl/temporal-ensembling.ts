/**
 * Temporal Ensembling (Laine and Aila: Temporal Ensembling for Semi-Supervised Learning, ICLR 2017, algorithm 2):
 *
 *     Z_i ← αZ_i + (1 − α)z_i,   z̃_i = Z_i / (1 − α^t)
 *     L = H(y, z) + w(t) · ‖z_i − z̃_i‖²,   w(t) = w_max exp(−5(1 − t)²)
 *
 * z_i is the network's answer to image i, seen once an epoch; t in the correction counts how often it was seen. Before
 * an image was seen it has no target and no part in the loss. The ramp takes 80 of the authors' 300 epochs, as a share.
 *
 * Deviations: consistency is of the unlabeled images alone. The authors divide both terms by all images of a batch and
 * multiply w_max by the share N_l/N of labeled ones; here each term is the mean over its own images, which is the same.
 */
import { z } from 'zod';
import { crossEntropy } from '../nn/index.js';
import { concatenate, keep, noGrad, type Tensor, tidy, zeros } from '../tensor/index.js';
import type { Algorithm } from './algorithm.js';
import { repeatPerView } from './batch.js';
import { ClassifierNetwork } from './classifier-network.js';
import { gaussianRamp } from './equations.js';
import {
  decay,
  labeledViews,
  passesOfLabeled,
  rampShare,
  unlabeledWeight,
  viewsOfLabeled,
} from './options.js';
import { copyState } from './state.js';

const options = z.strictObject({
  ...labeledViews({ weak: 1, strong: 0 }),
  unlabeledWeight: unlabeledWeight(30, 'w_max'),
  rampShare: rampShare(80 / 300),
  ensembleDecay: decay(0.6, 'the answers to an image, α'),
});

/** The answers to every unlabeled image so far. */
class Ensemble {
  private readonly sums: Tensor; // Z (N_u, classes)
  private readonly seen: Tensor; // how often (N_u)

  constructor(
    images: number,
    classes: number,
    private readonly alpha: number,
  ) {
    this.sums = keep(zeros([images, classes]));
    this.seen = keep(zeros([images]));
  }

  /** z̃ (N, classes) of the images at `indices`, and 1 for each that has one, else 0 (N). */
  targets(indices: Tensor): { z_tilde: Tensor; known: Tensor } {
    const times = this.seen.indexSelect(0, indices);
    const correction =
      this.alpha === 0 ? times.mul(0).add(1) : times.mul(Math.log(this.alpha)).exp().neg().add(1);
    const z_tilde = this.sums.indexSelect(0, indices).div(correction.clamp(1e-12, null).unsqueeze(1));
    return { z_tilde, known: times.gt(0).to('float32') };
  }

  /** Takes answers z (N, classes) into account. */
  add(indices: Tensor, z: Tensor): void {
    const before = this.sums.indexSelect(0, indices);
    this.sums.indexCopyInPlace(0, indices, before.mul(this.alpha).add(z.mul(1 - this.alpha)));
    this.seen.indexCopyInPlace(0, indices, this.seen.indexSelect(0, indices).add(1));
  }

  state(): Map<string, Tensor> {
    return new Map([
      ['answers', this.sums],
      ['seen', this.seen],
    ]);
  }
}

export const temporalEnsembling: Algorithm<z.output<typeof options>, ClassifierNetwork> = {
  title: 'Temporal Ensembling',
  citation: 'Laine and Aila, Temporal Ensembling for Semi-Supervised Learning, ICLR 2017',
  summary: 'answers shall be like the average of earlier answers to the same image',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 1, strong: 0 } }),
  passes: (own) => ({
    labeled: passesOfLabeled(own),
    unlabeled: { learning: 1, guessing: 0 },
  }),
  createNetwork: (_, context) => new ClassifierNetwork(context),
  createLearner(
    { unlabeledWeight, rampShare, ensembleDecay },
    { network, classes, unlabeledImages, steps, exchange },
  ) {
    const ensemble = new Ensemble(unlabeledImages, classes, ensembleDecay);
    return {
      step: ({ labeled, labels, unlabeled, unlabeledIndices }, step) =>
        tidy(() => {
          const logits = network.forward(concatenate([labeled.images, unlabeled.weak]));
          const [ofLabeled, ofUnlabeled] = logits.split([labeled.images.shape[0], unlabeled.count]);
          const z = ofUnlabeled.softmax(1);
          const { z_tilde, known } = ensemble.targets(unlabeledIndices);
          noGrad(() => ensemble.add(exchange.gather(unlabeledIndices), exchange.gather(z.detach())));

          const y = repeatPerView(labels, labeled.images.shape[0] / labeled.count);
          const lossClf = crossEntropy(ofLabeled, y);
          const lossCon = z.sub(z_tilde).pow(2).mean([1]).mul(known).mean();
          const loss = lossClf.add(lossCon.mul(unlabeledWeight * gaussianRamp(step, rampShare * steps)));
          return { loss, metrics: { loss, lossClf, lossCon } };
        }),
      predict: (evaluated, images) => evaluated.probabilities(images),
      state: () => ensemble.state(),
      load: (state) => copyState(ensemble.state(), state),
    };
  },
};
