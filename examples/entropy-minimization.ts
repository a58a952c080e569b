/**
 * An algorithm in one file (docs/adding-an-algorithm.md): Entropy Minimization (Grandvalet and Bengio: Semi-supervised
 * Learning by Entropy Minimization, NeurIPS 2004). Answers to unlabeled images shall be sure ones, whichever:
 *
 *     L = H(y, p(x)) + λ(t) · 1/μB Σ_b H(p(u_b), p(u_b))
 *
 * Deviation: λ grows linearly over the first part of training; the authors lower a temperature instead.
 */
import { z } from 'zod';
import { crossEntropy, crossEntropyPerRow } from '../src/nn/index.js';
import type { Algorithm } from '../src/ssl/algorithm.js';
import { repeatPerView } from '../src/ssl/batch.js';
import { ClassifierNetwork } from '../src/ssl/classifier-network.js';
import { linearRamp } from '../src/ssl/equations.js';
import {
  labeledViews,
  passesOfLabeled,
  rampShare,
  unlabeledWeight,
  viewsOfLabeled,
} from '../src/ssl/options.js';
import { concatenate, tidy } from '../src/tensor/index.js';

const options = z.strictObject({
  ...labeledViews({ weak: 1, strong: 0 }),
  unlabeledWeight: unlabeledWeight(0.1, 'λ'),
  rampShare: rampShare(0.4),
});

export const entropyMinimization: Algorithm<z.output<typeof options>, ClassifierNetwork> = {
  title: 'Entropy Minimization',
  citation: 'Grandvalet and Bengio, Semi-supervised Learning by Entropy Minimization, NeurIPS 2004',
  summary: 'answers shall be sure ones, whichever',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 1, strong: 0 } }),
  passes: (own) => ({ labeled: passesOfLabeled(own), unlabeled: { learning: 1, guessing: 0 } }),
  createNetwork: (_, context) => new ClassifierNetwork(context),
  // One pass over all images; what it remembers would be in state() and load(), and this remembers nothing.
  createLearner: (own, { network, steps }) => ({
    step: ({ labeled, labels, unlabeled }, step) =>
      tidy(() => {
        const logits = network.forward(concatenate([labeled.images, unlabeled.weak])); // (rows, classes)
        const [ofLabeled, ofUnlabeled] = logits.split([labeled.images.shape[0], unlabeled.count]);

        const lossClf = crossEntropy(
          ofLabeled,
          repeatPerView(labels, labeled.images.shape[0] / labeled.count),
        );
        const lossCon = crossEntropyPerRow(ofUnlabeled, ofUnlabeled.softmax(1)).mean();
        const lambda = own.unlabeledWeight * linearRamp(step, own.rampShare * steps);
        const loss = lossClf.add(lossCon.mul(lambda));
        return { loss, metrics: { loss, lossClf, lossCon } };
      }),
    predict: (evaluated, images) => evaluated.probabilities(images),
    state: () => new Map(),
    load() {},
  }),
};
