/**
 * FeatMatch as the published code computes it (GT-RIPL/FeatMatch), which is not quite what the paper says: labeled
 * images have strong views too, everything is mixed with everything, the weak view of each image labels all its mixed
 * views, and a first stage trains without AugF.
 *
 * Deviation: the first of its two forward passes records no gradients, since none flow through it; the numbers are the
 * same.
 */
import { z } from 'zod';
import { crossEntropy } from '../../nn/index.js';
import { concatenate, noGrad, oneHot, type Tensor, tidy } from '../../tensor/index.js';
import type { Algorithm, Learner, LearnerContext } from '../algorithm.js';
import { allCount } from '../assigned-labels.js';
import { type Batch, repeatPerView } from '../batch.js';
import { linearRamp, sharpen } from '../equations.js';
import { drawMixing, type Mixing, mix } from '../mixing.js';
import { FeatMatchNetwork } from './network.js';
import { augmentationOptions } from './options.js';
import { PrototypeMemory } from './prototype-memory.js';

const referenceOptions = z.strictObject({
  strongViews: z.int().min(1).default(8).describe('strong views of each image, labeled or not, K'),
  pseudoLabels: z
    .enum(['all-views', 'weak-views'])
    .default('all-views')
    .describe(
      'the pass that makes pseudo-labels, without gradients: over all views, of which the weak ones are used, as ' +
        'published; or over the weak views alone, which costs K times less. The same mathematics but for batch ' +
        'normalization: its statistics are then of the weak views',
    ),
  temperature: z.number().positive().max(1).default(0.75).describe('sharpening of pseudo-labels, T'),
  mixupAlpha: z.number().positive().default(0.75).describe('mixup draws λ from Beta(α, α), α'),
  lambdaG: z
    .number()
    .nonnegative()
    .default(0.5)
    .describe('weight of the loss of augmented features ("con"), λ_g'),
  lambdaF: z
    .number()
    .nonnegative()
    .default(2)
    .describe('weight of the loss of plain features ("graph"), λ_f'),
  rampSteps: z.int().min(0).default(75_000).describe('steps over which λ_g and λ_f grow linearly from 0'),
  pretrainSteps: z.int().min(0).default(3000).describe('steps of the first stage, without AugF'),
  ...augmentationOptions({ heads: 4, attentionDropout: 0.1, extractEvery: 500 }),
});

export type ReferenceOptions = z.output<typeof referenceOptions>;

export class ReferenceLearner implements Learner<FeatMatchNetwork> {
  private readonly prototypes: PrototypeMemory;

  constructor(
    private readonly options: ReferenceOptions,
    private readonly context: LearnerContext<FeatMatchNetwork>,
  ) {
    const { network, classes, unlabeledBatch, exchange } = context;
    this.prototypes = new PrototypeMemory(network.encoder, {
      classes,
      capacity: options.extractEvery * unlabeledBatch,
      exchange,
    });
  }

  step(batch: Batch, step: number) {
    const { pretrainSteps, extractEvery, mixupAlpha } = this.options;
    const { network, generator } = this.context;
    if (step >= pretrainSteps && (step - pretrainSteps) % extractEvery === 0) {
      this.prototypes.extract(network, this.context, this.options);
    }
    return tidy(() => {
      const { labeled, unlabeled } = batch;
      const rows = labeled.images.shape[0] + unlabeled.images.shape[0];
      return this.loss(batch, step, drawMixing(rows, { alpha: mixupAlpha, generator, dominant: true }));
    });
  }

  /** The loss with a given mixing of all views: the labeled ones first, view by view, then the unlabeled ones. */
  loss(batch: Batch, step: number, mixing: Mixing) {
    const { temperature, lambdaG, lambdaF, rampSteps, pretrainSteps } = this.options;
    const { network, classes } = this.context;
    const { labeled, unlabeled, labels } = batch;
    const labeledRows = labeled.images.shape[0];
    const unlabeledRows = unlabeled.images.shape[0];
    const images = concatenate([labeled.images, unlabeled.images]);
    const hasAugmentation = step >= pretrainSteps;

    const { f_weak, p_labeled, p_weak } = noGrad(() => this.labelWeakViews(batch, images));
    if (hasAugmentation) this.prototypes.record(f_weak, p_weak);

    const targets = noGrad(() => {
      const ofLabeled = repeatPerView(oneHot(labels, classes), labeledRows / labeled.count);
      const ofUnlabeled = repeatPerView(sharpen(p_weak, temperature), unlabeledRows / unlabeled.count);
      const mixed = mix(concatenate([ofLabeled, ofUnlabeled]), mixing);
      return mixed.div(mixed.sum([1], true));
    });
    const [y, q] = targets.split([labeledRows, unlabeledRows]);
    const f = network.encoder.forward(mix(images, mixing));
    const g = network.augment(f, this.prototypes.features);
    const [g_labeled, g_unlabeled] = network.classifier.forward(g).split([labeledRows, unlabeledRows]);
    const f_unlabeled = network.classifier.forward(f.narrow(0, labeledRows, unlabeledRows));

    const loss_clf = crossEntropy(g_labeled, y);
    const loss_con = crossEntropy(g_unlabeled, q);
    const loss_graph = crossEntropy(f_unlabeled, q);
    const ramp = linearRamp(step, rampSteps);
    const weighted = loss_clf.add(loss_con.mul(lambdaG * ramp));
    const loss = hasAugmentation ? weighted.add(loss_graph.mul(lambdaF * ramp)) : weighted;
    const pseudoLabels = allCount(p_weak);
    return {
      loss,
      pseudoLabels,
      metrics: {
        loss,
        lossClf: loss_clf,
        lossConG: loss_con,
        lossConF: hasAugmentation ? loss_graph : 0,
        confidence: pseudoLabels.confidence.mean(),
        labeledAccuracy: p_labeled.argmax(1).eq(labels).to('float32').mean(),
      },
    };
  }

  predict(network: FeatMatchNetwork, images: Tensor): Tensor {
    return tidy(() => network.probabilities(network.encoder.forward(images), this.prototypes.features));
  }

  state(): Map<string, Tensor> {
    return this.prototypes.state();
  }

  load(state: ReadonlyMap<string, Tensor>): void {
    this.prototypes.load(state);
  }

  /**
   * The first pass. As published it goes over all views, since batch statistics are of all, and what is used of it is
   * the first view of each image.
   */
  labelWeakViews({ labeled, unlabeled }: Batch, images: Tensor) {
    const { network } = this.context;
    const isOfAll = this.options.pseudoLabels === 'all-views';
    return tidy(() => {
      const f = network.encoder.forward(isOfAll ? images : concatenate([labeled.weak, unlabeled.weak]));
      const f_labeled = f.narrow(0, 0, labeled.count);
      const f_weak = f.narrow(0, isOfAll ? labeled.images.shape[0] : labeled.count, unlabeled.count);
      const p = network.probabilities(concatenate([f_labeled, f_weak]), this.prototypes.features);
      const [p_labeled, p_weak] = p.split([labeled.count, unlabeled.count]);
      return { f_weak, p_labeled, p_weak };
    });
  }
}

export const featmatchReference: Algorithm<ReferenceOptions, FeatMatchNetwork> = {
  title: 'FeatMatch, as published',
  citation: 'Kuo et al., the published code of FeatMatch, ECCV 2020',
  summary: 'the same on mixed images, step for step as published',
  options: referenceOptions,
  views: ({ strongViews }) => ({
    labeled: { weak: 1, strong: strongViews },
    unlabeled: { weak: 1, strong: strongViews },
  }),
  passes: ({ strongViews, pseudoLabels }) => {
    const views = 1 + strongViews;
    const passes = { learning: views, guessing: pseudoLabels === 'all-views' ? views : 1 };
    return { labeled: passes, unlabeled: passes };
  },
  createNetwork: (options, context) => new FeatMatchNetwork(options, context),
  createLearner: (options, context) => new ReferenceLearner(options, context),
};
