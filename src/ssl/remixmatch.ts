/**
 * ReMixMatch (Berthelot et al.: ReMixMatch: Semi-Supervised Learning with Distribution Matching and Augmentation
 * Anchoring, ICLR 2020). MixMatch whose pseudo-label comes from a weak view, aligned to the labels' distribution:
 *
 *     q ← sharpen(norm(q · p(y)/p̄(y)), T)                                              section 3.1, algorithm 1
 *     L = H(p, p(x')) + λ_u H(q, p(u')) + λ_û1 H(q, p(û_1)) + λ_r H(r, p_rotation(Rotate(û_1, r)))            (3)–(6)
 *
 * x' and u' are mixed labeled and unlabeled views, the K strong and the weak one; û_1 is a strong view before mixing;
 * r is one of four right angles. p̄ is the mean of the last 128 batches. λ_u and λ_û1 grow over 1/64 of training. As in
 * MixMatch guessing moves no running statistics.
 *
 * Deviations: one forward pass over all views instead of interleaved ones; strong views are RandAugment, not CTAugment.
 */
import { z } from 'zod';
import { InputError } from '../errors.js';
import { crossEntropy, Linear, withFrozenStatistics } from '../nn/index.js';
import { arange, concatenate, noGrad, oneHot, type Tensor, tidy, uniform } from '../tensor/index.js';
import type { Algorithm, NetworkContext } from './algorithm.js';
import { allCount } from './assigned-labels.js';
import { repeatPerView } from './batch.js';
import { ClassifierNetwork } from './classifier-network.js';
import { DistributionAlignment } from './distribution-alignment.js';
import { linearRamp, sharpen } from './equations.js';
import { drawMixing, mix } from './mixing.js';
import { MovingWindow } from './moving-average.js';
import {
  labeledViews,
  mixupAlpha,
  passesOfLabeled,
  rampShare,
  temperature,
  unlabeledWeight,
  viewsOfLabeled,
} from './options.js';
import { copyState } from './state.js';

const WINDOW = 128; // batches in p̄
const ANGLES = 4;

const weight = (value: number, of: string) =>
  z.number().nonnegative().default(value).describe(`weight of ${of}`);

const options = z.strictObject({
  ...labeledViews({ weak: 0, strong: 1 }),
  strongViews: z.int().min(1).default(8).describe('strong views of each unlabeled image, K'),
  temperature: temperature(0.5),
  mixupAlpha: mixupAlpha(0.75),
  unlabeledWeight: unlabeledWeight(1.5, 'λ_u'),
  strongWeight: weight(0.5, 'the loss of a strong view before mixing, λ_û1'),
  rotationWeight: weight(0.5, 'telling by which angle an image was rotated, λ_r'),
  rampShare: rampShare(1 / 64),
});

export class RotationNetwork extends ClassifierNetwork {
  /** logits of the four angles */
  readonly rotation: Linear;

  constructor(context: NetworkContext) {
    super(context);
    const { generator } = context;
    this.rotation = new Linear(this.encoder.featureDimension, ANGLES, {
      generator,
      initialization: 'glorot',
    });
  }
}

export const remixmatch: Algorithm<z.output<typeof options>, RotationNetwork> = {
  title: 'ReMixMatch',
  citation:
    'Berthelot et al., ReMixMatch: SSL with Distribution Alignment and Augmentation Anchoring, ICLR 2020',
  summary: 'aligned answers on the weak view teach strong ones, mixed; rotations are told apart as well',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 1, strong: own.strongViews } }),
  passes: (own) => ({
    labeled: passesOfLabeled(own),
    unlabeled: { learning: own.strongViews + 3, guessing: 1 }, // mixed: strong and weak; strong before mixing; rotated
  }),
  createNetwork: (_, context) => new RotationNetwork(context),
  createLearner(own, { network, classes, labelDistribution, generator, steps, exchange }) {
    const alignment = new DistributionAlignment(labelDistribution, new MovingWindow(WINDOW, classes));

    /** q (μB, classes). */
    const guess = (weak: Tensor) =>
      tidy(() => {
        const q = withFrozenStatistics(() => network.probabilities(weak));
        const aligned = exchange.own(alignment.align(exchange.gather(q)));
        return own.temperature === 0 ? oneHot(aligned.argmax(1), classes) : sharpen(aligned, own.temperature);
      });

    return {
      step: ({ labeled, labels, unlabeled }, step) =>
        tidy(() => {
          const { count } = unlabeled;
          const rows = { labeled: labeled.images.shape[0], unlabeled: unlabeled.images.shape[0] };
          const q = noGrad(() => guess(unlabeled.weak));
          const targets = concatenate([
            repeatPerView(oneHot(labels, classes), rows.labeled / labeled.count),
            repeatPerView(q, rows.unlabeled / count),
          ]);
          const mixing = drawMixing(rows.labeled + rows.unlabeled, {
            alpha: own.mixupAlpha,
            generator,
            perRow: true,
            dominant: true,
          });
          const mixed = mix(concatenate([labeled.images, unlabeled.images]), mixing); // x', u'
          const [p, q_mixed] = mix(targets, mixing).split([rows.labeled, rows.unlabeled]);
          const strong = unlabeled.strong.narrow(0, 0, count); // û_1
          const r = uniform([count], 0, ANGLES, { generator }).to('int64');

          const features = network.encoder.forward(concatenate([mixed, strong, rotate(strong, r)]));
          const [classified, rotated] = features.split([rows.labeled + rows.unlabeled + count, count]);
          const logits = network.classifier.forward(classified);
          const [ofLabeled, ofUnlabeled, ofStrong] = logits.split([rows.labeled, rows.unlabeled, count]);

          const lossClf = crossEntropy(ofLabeled, p); // (3)
          const lossCon = crossEntropy(ofUnlabeled, q_mixed); // (4)
          const lossStrong = crossEntropy(ofStrong, q); // (5)
          const lossRotation = crossEntropy(network.rotation.forward(rotated), r); // (6)
          const ramp = linearRamp(step, own.rampShare * steps);
          const loss = lossClf
            .add(lossCon.mul(own.unlabeledWeight * ramp))
            .add(lossStrong.mul(own.strongWeight * ramp))
            .add(lossRotation.mul(own.rotationWeight));
          const pseudoLabels = allCount(q);
          const confidence = pseudoLabels.confidence.mean();
          const metrics = { loss, lossClf, lossCon, lossStrong, lossRotation, confidence };
          return { loss, metrics, pseudoLabels };
        }),
      predict: (evaluated, images) => evaluated.probabilities(images),
      state: () => alignment.state(),
      load: (state) => copyState(alignment.state(), state),
    };
  },
};

/** Each image (N, C, H, W) rotated by as many right angles as `times` (N), int64. @throws InputError where H is not W */
function rotate(images: Tensor, times: Tensor): Tensor {
  const [count, , height, width] = images.shape;
  if (height !== width)
    throw new InputError(
      `remixmatch rotates images by right angles, so they have to be square, not ${height}×${width}`,
    );
  return tidy(() => {
    const all = concatenate([0, 1, 2, 3].map((angle) => images.rotate90(angle, [2, 3]))); // (4·N, C, H, W)
    return all.indexSelect(0, times.mul(count).add(arange(count)));
  });
}
