/**
 * The ways from features to class scores: the classifier alone, or AugF with its prototypes before it as well. So what
 * FeatMatch adds to another method is one setting of that method.
 */
import { type Tensor, tidy } from '../../tensor/index.js';
import type { LearnerContext } from '../algorithm.js';
import type { FeatMatchNetwork } from './network.js';
import type { ComponentOptions } from './options.js';
import { PrototypeMemory } from './prototype-memory.js';

/** Features that are classified and learn. */
export interface FeaturePath {
  /** (N, f_dim) */
  readonly features: Tensor;
  /** weight of the classification of labeled images by these features */
  readonly labeledWeight: number;
  /** weight of the consistency of unlabeled images by these features, beside the method's own */
  readonly unlabeledWeight: number;
  /** the name of their consistency in the metrics */
  readonly metric: `lossCon${string}`;
}

export interface FeaturePaths {
  /** To be called as a step begins. @param labeler the network that labels the unlabeled images */
  prepare(labeler: FeatMatchNetwork, step: number): void;
  /** The paths of features (N, f_dim) that the network computed; the first is that which predicts. */
  of(network: FeatMatchNetwork, features: Tensor): FeaturePath[];
  /** Class probabilities (N, classes) of features (N, f_dim). */
  probabilities(network: FeatMatchNetwork, features: Tensor): Tensor;
  /** Remembers features (N, f_dim) and their pseudo-labels, not sharpened (N, classes). */
  record(features: Tensor, probabilities: Tensor, step: number): void;
  state(): Map<string, Tensor>;
  load(state: ReadonlyMap<string, Tensor>): void;
}

/** @param options null: without AugF */
export function createFeaturePaths(
  options: ComponentOptions | null,
  context: LearnerContext<FeatMatchNetwork>,
): FeaturePaths {
  return options === null ? plainFeatures : new AugmentedFeatures(options, context);
}

/** Clf(f) alone. */
const plainFeatures: FeaturePaths = {
  prepare() {},
  of: (_, features) => [{ features, labeledWeight: 1, unlabeledWeight: 1, metric: 'lossCon' }],
  probabilities: ({ classifier }, features) => tidy(() => classifier.forward(features).softmax(1)),
  record() {},
  state: () => new Map(),
  load() {},
};

/** Clf(AugF(f)) beside Clf(f), and the prototypes that AugF attends to. */
class AugmentedFeatures implements FeaturePaths {
  private readonly memory: PrototypeMemory;

  constructor(
    private readonly options: ComponentOptions,
    private readonly context: LearnerContext<FeatMatchNetwork>,
  ) {
    const { network, classes, unlabeledBatch, exchange } = context;
    this.memory = new PrototypeMemory(network.encoder, {
      classes,
      capacity: options.extractEvery * unlabeledBatch,
      exchange,
    });
  }

  prepare(labeler: FeatMatchNetwork, step: number): void {
    const { warmupSteps, extractEvery } = this.options;
    if (step >= warmupSteps && (step - warmupSteps) % extractEvery === 0) {
      this.memory.extract(labeler, this.context, this.options);
    }
  }

  of(network: FeatMatchNetwork, f: Tensor): FeaturePath[] {
    const { lambdaG, lambdaF, plainLabeledWeight } = this.options;
    const g = network.augment(f, this.memory.features);
    return [
      { features: g, labeledWeight: 1, unlabeledWeight: lambdaG, metric: 'lossConG' },
      { features: f, labeledWeight: plainLabeledWeight, unlabeledWeight: lambdaF, metric: 'lossConF' },
    ];
  }

  probabilities(network: FeatMatchNetwork, features: Tensor): Tensor {
    return network.probabilities(features, this.memory.features);
  }

  record(features: Tensor, probabilities: Tensor, step: number): void {
    if (step >= this.options.warmupSteps) this.memory.record(features, probabilities);
  }

  state(): Map<string, Tensor> {
    return this.memory.state();
  }

  load(state: ReadonlyMap<string, Tensor>): void {
    this.memory.load(state);
  }
}
