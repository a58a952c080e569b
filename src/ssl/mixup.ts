/**
 * mixup (Zhang, Cissé, Dauphin, Lopez-Paz: mixup: Beyond Empirical Risk Minimization, ICLR 2018):
 *
 *     x̃ = λx_i + (1 − λ)x_j,  ỹ = λy_i + (1 − λ)y_j,  λ ~ Beta(α, α);   L = H(ỹ, p(x̃))
 *
 * of the labeled images alone, with one λ a batch as in the authors' code, and their α for CIFAR-10.
 */
import { z } from 'zod';
import { crossEntropy } from '../nn/index.js';
import { oneHot, tidy } from '../tensor/index.js';
import type { Algorithm } from './algorithm.js';
import { repeatPerView } from './batch.js';
import { ClassifierNetwork } from './classifier-network.js';
import { drawMixing, mix } from './mixing.js';
import { labeledViews, mixupAlpha, passesOfLabeled, viewsOfLabeled } from './options.js';

const options = z.strictObject({ ...labeledViews({ weak: 1, strong: 0 }), mixupAlpha: mixupAlpha(1) });

export const mixup: Algorithm<z.output<typeof options>, ClassifierNetwork> = {
  title: 'mixup',
  citation: 'Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018',
  summary: 'labeled images and their labels are mixed in pairs; no unlabeled ones',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 0, strong: 0 } }),
  passes: (own) => ({
    labeled: passesOfLabeled(own),
    unlabeled: { learning: 0, guessing: 0 },
  }),
  createNetwork: (_, context) => new ClassifierNetwork(context),
  createLearner: ({ mixupAlpha: alpha }, { network, classes, generator }) => ({
    step({ labeled, labels }) {
      const loss = tidy(() => {
        const [rows] = labeled.images.shape;
        const mixing = drawMixing(rows, { alpha, generator });
        const y = repeatPerView(oneHot(labels, classes), rows / labeled.count);
        return crossEntropy(network.forward(mix(labeled.images, mixing)), mix(y, mixing));
      });
      return { loss, metrics: { loss } };
    },
    predict: (evaluated, images) => evaluated.probabilities(images),
    state: () => new Map(),
    load() {},
  }),
};
