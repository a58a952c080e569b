/**
 * FeatMatch (Kuo, Ma, Huang, Kira: FeatMatch: Feature-Based Augmentation for Semi-Supervised Learning, ECCV 2020).
 *
 * Deviations from the paper, each an option: labeled images are also classified by their plain features
 * (plainLabeledWeight), pseudo-labels may come from the average of the weights, be aligned, made one-hot or left out
 * below a confidence. Labeled prototypes are made from clean images in evaluation mode, as in the published code.
 */

import { InputError } from '../../errors.js';
import { crossEntropy, crossEntropyPerRow } from '../../nn/index.js';
import { concatenate, keep, noGrad, oneHot, type Tensor, tensor, tidy } from '../../tensor/index.js';
import type { Algorithm, Learner, LearnerContext } from '../algorithm.js';
import { type Batch, repeatPerView } from '../batch.js';
import { fixedThresholdMask, SelfAdaptiveThreshold } from '../confidence-threshold.js';
import { DistributionAlignment } from '../distribution-alignment.js';
import { linearRamp, sharpen } from '../equations.js';
import { FeatMatchNetwork } from './network.js';
import { type FeatMatchOptions, featMatchOptions } from './options.js';
import { PrototypeMemory } from './prototype-memory.js';

const MOVING_AVERAGE_DECAY = 0.99; // of the class distribution and of adaptive thresholds

export class FeatMatchLearner implements Learner<FeatMatchNetwork> {
  private readonly prototypes: PrototypeMemory;
  private alignment: DistributionAlignment | null = null; // made at the first step
  private readonly adaptiveThreshold: SelfAdaptiveThreshold | null;

  /** @throws InputError where the options want an average of the weights and there is none */
  constructor(
    private readonly options: FeatMatchOptions,
    private readonly context: LearnerContext<FeatMatchNetwork>,
  ) {
    const { network, average, classes, unlabeledBatch } = context;
    if (options.pseudoLabels === 'average' && average === null)
      throw new InputError(
        "algorithm.pseudoLabels is 'average', but no average of the weights is kept: set ema.decay, for example to 0.999",
      );
    this.prototypes = new PrototypeMemory(network.encoder, {
      classes,
      capacity: options.extractEvery * unlabeledBatch,
    });
    this.adaptiveThreshold = options.adaptiveThreshold
      ? new SelfAdaptiveThreshold(classes, MOVING_AVERAGE_DECAY)
      : null;
  }

  step(batch: Batch, step: number) {
    const { warmupSteps, extractEvery, distributionAlignment } = this.options;
    if (distributionAlignment) {
      this.alignment ??= new DistributionAlignment(labelDistribution(this.context), MOVING_AVERAGE_DECAY);
    }
    if (step >= warmupSteps && (step - warmupSteps) % extractEvery === 0) {
      this.prototypes.extract(this.labeler, this.context, this.options);
    }
    return tidy(() => this.loss(batch, step));
  }

  predict(network: FeatMatchNetwork, images: Tensor): Tensor {
    return tidy(() => network.probabilities(network.encoder.forward(images), this.prototypes.features));
  }

  private loss({ labeled, labels, unlabeled }: Batch, step: number) {
    const { lambdaG, lambdaF, plainLabeledWeight, rampSteps, pseudoLabels: source } = this.options;
    const { network } = this.context;
    const isJoint = source === 'joint';

    // One forward pass over everything that gradients flow through; with `joint`, over the weak views as well.
    const parts = [labeled.images, unlabeled.strong, ...(isJoint ? [unlabeled.weak] : [])];
    const features = network.encoder.forward(concatenate(parts)); // (rows, f_dim)
    const [f_labeled, f_strong, f_weakJoint] = features.split(parts.map(({ shape }) => shape[0]));
    const f_weak = isJoint
      ? f_weakJoint.detach()
      : noGrad(() => this.labeler.encoder.forward(unlabeled.weak));

    const p_g = this.pseudoLabelProbabilities(f_weak); // before sharpening
    if (step >= this.options.warmupSteps) this.prototypes.record(f_weak, p_g);
    const { targets, mask } = this.pseudoLabels(p_g);

    const y = repeatPerView(labels, labeled.images.shape[0] / labeled.count);
    const q = repeatPerView(targets, unlabeled.strong.shape[0] / unlabeled.count);
    const counts = repeatPerView(mask, unlabeled.strong.shape[0] / unlabeled.count);
    const classify = (rows: Tensor) => network.classifier.forward(rows);
    const g = network.augment(concatenate([f_labeled, f_strong]), this.prototypes.features);
    const [g_labeled, g_strong] = g.split([f_labeled.shape[0], f_strong.shape[0]]);

    const loss_con_g = crossEntropyPerRow(classify(g_strong), q).mul(counts).mean(); // (4)
    const loss_con_f = crossEntropyPerRow(classify(f_strong), q).mul(counts).mean(); // (5)
    const loss_clf = crossEntropy(classify(g_labeled), y); // (6)
    const loss_plain = crossEntropy(classify(f_labeled), y);
    const ramp = linearRamp(step, rampSteps);
    const loss = loss_clf
      .add(loss_plain.mul(plainLabeledWeight))
      .add(loss_con_g.mul(lambdaG * ramp))
      .add(loss_con_f.mul(lambdaF * ramp)); // (7)
    return {
      loss,
      metrics: {
        loss,
        lossClf: loss_clf,
        lossConG: loss_con_g,
        lossConF: loss_con_f,
        confidence: p_g.amax(1).mean(),
        coverage: mask.mean(),
      },
    };
  }

  /** What labels the weak views: the network that learns, or its average. */
  private get labeler(): FeatMatchNetwork {
    const { network, average } = this.context;
    return this.options.pseudoLabels === 'average' && average !== null ? average : network;
  }

  /** p_g = softmax Clf(AugF(f_weak)), without gradient. */
  private pseudoLabelProbabilities(f_weak: Tensor): Tensor {
    return noGrad(() => this.labeler.probabilities(f_weak, this.prototypes.features));
  }

  /** Targets (N, classes) and which of them count (N), from p_g. */
  private pseudoLabels(p_g: Tensor): { targets: Tensor; mask: Tensor } {
    const { temperature, threshold } = this.options;
    return noGrad(() =>
      tidy(() => {
        const aligned = this.alignment?.align(p_g) ?? p_g;
        const mask = this.adaptiveThreshold?.mask(aligned) ?? fixedThresholdMask(aligned, threshold);
        const targets =
          temperature === 0 ? oneHot(aligned.argmax(1), this.context.classes) : sharpen(aligned, temperature);
        return { targets, mask };
      }),
    );
  }

  state(): Map<string, Tensor> {
    return new Map([...this.prototypes.state(), ...this.movingAverages()]);
  }

  private *movingAverages(): Generator<[string, Tensor]> {
    for (const [key, value] of this.alignment?.state() ?? []) yield [`alignment.${key}`, value];
    for (const [key, value] of this.adaptiveThreshold?.state() ?? []) yield [`threshold.${key}`, value];
  }

  load(state: ReadonlyMap<string, Tensor>): void {
    this.prototypes.load(state);
    const expected = state.get('alignment.expected');
    if (expected !== undefined) {
      this.alignment = new DistributionAlignment(keep(expected.clone()), MOVING_AVERAGE_DECAY);
    }
    for (const [name, value] of this.movingAverages()) {
      const saved = state.get(name);
      if (saved === undefined) throw new Error(`the saved state has no ${name}`);
      value.copyInPlace(saved);
    }
  }
}

/** Each class's share of the labeled images (classes); kept. */
function labelDistribution({ labeledImages, classes }: LearnerContext<FeatMatchNetwork>): Tensor {
  const counts = new Float32Array(classes);
  tidy(() => {
    for (const { labels } of labeledImages()) for (const label of labels) counts[label]++;
  });
  const total = counts.reduce((sum, count) => sum + count, 0);
  return keep(tensor(counts.map((count) => count / total)));
}

export const featmatch: Algorithm<FeatMatchOptions, FeatMatchNetwork> = {
  title: 'FeatMatch',
  citation: 'Kuo et al., FeatMatch: Feature-Based Augmentation for Semi-Supervised Learning, ECCV 2020',
  options: featMatchOptions,
  views: ({ strongViews, labeledWeakViews, labeledStrongViews }) => ({
    labeled: { weak: labeledWeakViews, strong: labeledStrongViews },
    unlabeled: { weak: 1, strong: strongViews },
  }),
  createNetwork: (options, context) => new FeatMatchNetwork(options, context),
  createLearner: (options, context) => new FeatMatchLearner(options, context),
};
