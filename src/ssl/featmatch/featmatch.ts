/**
 * FeatMatch (Kuo, Ma, Huang, Kira: FeatMatch: Feature-Based Augmentation for Semi-Supervised Learning, ECCV 2020).
 *
 * Deviations from the paper, each an option: labeled images are also classified by their plain features
 * (plainLabeledWeight), pseudo-labels may come from the average of the weights, be aligned, made one-hot or left out
 * below a confidence. Labeled prototypes are made from clean images in evaluation mode, as in the published code.
 */

import { InputError } from '../../errors.js';
import type { Encoder } from '../../models/encoder.js';
import { crossEntropy, crossEntropyPerRow, Linear, Module } from '../../nn/index.js';
import {
  concatenate,
  emptyCache,
  keep,
  noGrad,
  oneHot,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../tensor/index.js';
import type { Algorithm, Learner, LearnerContext, NetworkContext } from '../algorithm.js';
import { type Batch, repeatPerView } from '../batch.js';
import { fixedThresholdMask, SelfAdaptiveThreshold } from '../confidence-threshold.js';
import { DistributionAlignment } from '../distribution-alignment.js';
import { linearRamp, sharpen } from '../equations.js';
import { FeatureAugmentation } from './feature-augmentation.js';
import { MemoryBank } from './memory-bank.js';
import { type FeatMatchOptions, featMatchOptions } from './options.js';
import { selectPrototypes } from './prototypes.js';

const MOVING_AVERAGE_DECAY = 0.99; // of the class distribution and of adaptive thresholds

export class FeatMatchNetwork extends Module {
  readonly encoder: Encoder;
  readonly augmentation: FeatureAugmentation;
  readonly classifier: Linear;

  /** @throws InputError where the number of heads does not divide that of the features */
  constructor(options: FeatMatchOptions, { createEncoder, classes, generator }: NetworkContext) {
    super();
    this.encoder = createEncoder();
    const { featureDimension } = this.encoder;
    const { heads, scaleAttention, attentionDropout } = options;
    if (featureDimension % heads !== 0)
      throw new InputError(
        `algorithm.heads cannot be ${heads}: it has to divide the ${featureDimension} features of the model`,
      );
    this.augmentation = new FeatureAugmentation({
      featureDimension,
      heads,
      headDimension: featureDimension / heads,
      scaleAttention,
      attentionDropout,
      generator,
    });
    this.classifier = new Linear(featureDimension, classes, { generator, initialization: 'glorot' });
  }

  /** AugF(f_x), or the features themselves while there are no prototypes. */
  augment(features: Tensor, prototypes: Tensor): Tensor {
    return prototypes.shape[0] === 0 ? features : this.augmentation.forward(features, prototypes);
  }
}

export class FeatMatchLearner implements Learner<FeatMatchNetwork> {
  private prototypes: Tensor; // f_p (P, f_dim); P is 0 before the first extraction
  private prototypeLabels = new Int32Array(); // (P)
  private readonly bank: MemoryBank;
  private alignment: DistributionAlignment | null = null; // made at the first step
  private readonly adaptiveThreshold: SelfAdaptiveThreshold | null;

  /** @throws InputError where the options want an average of the weights and there is none */
  constructor(
    private readonly options: FeatMatchOptions,
    private readonly context: LearnerContext<FeatMatchNetwork>,
  ) {
    const { network, average, classes, unlabeledBatch } = context;
    const { featureDimension } = network.encoder;
    if (options.pseudoLabels === 'average' && average === null)
      throw new InputError(
        "algorithm.pseudoLabels is 'average', but no average of the weights is kept: set ema.decay, for example to 0.999",
      );
    this.prototypes = keep(zeros([0, featureDimension]));
    this.bank = new MemoryBank({
      capacity: options.extractEvery * unlabeledBatch,
      featureDimension,
      classes,
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
    if (step >= warmupSteps && (step - warmupSteps) % extractEvery === 0) this.extractPrototypes();
    return tidy(() => this.loss(batch, step));
  }

  predict(network: FeatMatchNetwork, images: Tensor): Tensor {
    return tidy(() =>
      network.classifier
        .forward(network.augment(network.encoder.forward(images), this.prototypes))
        .softmax(1),
    );
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
    if (step >= this.options.warmupSteps) this.bank.add(f_weak, p_g);
    const { targets, mask } = this.pseudoLabels(p_g);

    const y = repeatPerView(labels, labeled.images.shape[0] / labeled.count);
    const q = repeatPerView(targets, unlabeled.strong.shape[0] / unlabeled.count);
    const counts = repeatPerView(mask, unlabeled.strong.shape[0] / unlabeled.count);
    const classify = (rows: Tensor) => network.classifier.forward(rows);
    const g = network.augment(concatenate([f_labeled, f_strong]), this.prototypes);
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
    const { labeler } = this;
    return noGrad(() =>
      tidy(() => labeler.classifier.forward(labeler.augment(f_weak, this.prototypes)).softmax(1)),
    );
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

  private extractPrototypes(): void {
    const { prototypesPerClass, labeledRatio } = this.options;
    const { classes, generator } = this.context;
    const { labeler } = this;
    labeler.train(false);
    const { features, labels } = noGrad(() =>
      tidy(() => {
        const encoded = [...this.context.labeledImages()].map((part) => ({
          features: labeler.encoder.forward(part.images),
          labels: part.labels,
        }));
        const labeled = {
          features: concatenate(encoded.map((part) => part.features)),
          labels: encoded.flatMap((part) => [...part.labels]),
        };
        return selectPrototypes(labeled, this.bank.contents(), {
          classes,
          prototypesPerClass,
          labeledRatio,
          generator,
        });
      }),
    );
    if (labeler === this.context.network) labeler.train(true);
    this.bank.clear();
    this.setPrototypes(features, labels);
    emptyCache(); // K-means used many sizes that no training step asks for again
  }

  private setPrototypes(features: Tensor, labels: Int32Array): void {
    this.prototypes.dispose();
    this.prototypes = keep(features);
    this.prototypeLabels = labels as Int32Array<ArrayBuffer>;
  }

  state(): Map<string, Tensor> {
    const state = new Map([
      ['prototypes', this.prototypes],
      ['prototypeLabels', tensor(this.prototypeLabels)],
    ]);
    for (const [name, value] of this.movingAverages()) state.set(name, value);
    const recorded = this.bank.contents();
    if (recorded !== null) {
      state.set('bank.features', recorded.features);
      state.set('bank.probabilities', recorded.probabilities);
    }
    return state;
  }

  private *movingAverages(): Generator<[string, Tensor]> {
    for (const [key, value] of this.alignment?.state() ?? []) yield [`alignment.${key}`, value];
    for (const [key, value] of this.adaptiveThreshold?.state() ?? []) yield [`threshold.${key}`, value];
  }

  load(state: ReadonlyMap<string, Tensor>): void {
    const prototypes = state.get('prototypes');
    const prototypeLabels = state.get('prototypeLabels');
    if (prototypes === undefined || prototypeLabels === undefined)
      throw new Error('the saved state has no prototypes');
    this.setPrototypes(prototypes.clone(), prototypeLabels.data() as Int32Array);
    const expected = state.get('alignment.expected');
    if (expected !== undefined) {
      this.alignment = new DistributionAlignment(keep(expected.clone()), MOVING_AVERAGE_DECAY);
    }
    for (const [name, value] of this.movingAverages()) {
      const saved = state.get(name);
      if (saved === undefined) throw new Error(`the saved state has no ${name}`);
      value.copyInPlace(saved);
    }
    this.bank.clear();
    const features = state.get('bank.features');
    const probabilities = state.get('bank.probabilities');
    if (features !== undefined && probabilities !== undefined) this.bank.add(features, probabilities);
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
