/**
 * Supervised training on the labeled images alone: the baseline that every semi-supervised method has to beat with
 * the same network, views and steps.
 */
import { z } from 'zod';
import { crossEntropy } from '../nn/index.js';
import { tidy } from '../tensor/index.js';
import type { Algorithm } from './algorithm.js';
import { repeatPerView } from './batch.js';
import { ClassifierNetwork } from './classifier-network.js';
import { labeledViews, passesOfLabeled, viewsOfLabeled } from './options.js';

const options = z.strictObject(labeledViews({ weak: 0, strong: 1 }));

export const supervised: Algorithm<z.output<typeof options>, ClassifierNetwork> = {
  title: 'Supervised baseline',
  citation: 'labeled images only',
  summary: 'labeled images alone: the baseline',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 0, strong: 0 } }),
  passes: (own) => ({
    labeled: passesOfLabeled(own),
    unlabeled: { learning: 0, guessing: 0 },
  }),
  createNetwork: (_, context) => new ClassifierNetwork(context),
  createLearner: (_, { network }) => ({
    step({ labeled, labels }) {
      const loss = tidy(() =>
        crossEntropy(
          network.forward(labeled.images),
          repeatPerView(labels, labeled.images.shape[0] / labeled.count),
        ),
      );
      return { loss, metrics: { loss } };
    },
    predict: (evaluated, images) => evaluated.probabilities(images),
    state: () => new Map(),
    load() {},
  }),
};
