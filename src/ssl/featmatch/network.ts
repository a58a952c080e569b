import { InputError } from '../../errors.js';
import type { Encoder } from '../../models/encoder.js';
import { Linear, Module } from '../../nn/index.js';
import { type Generator, profiled, type Tensor, tidy } from '../../tensor/index.js';
import type { NetworkContext } from '../algorithm.js';
import { FeatureAugmentation, type FeatureAugmentationOptions } from './feature-augmentation.js';

export type AttentionOptions = Pick<
  FeatureAugmentationOptions,
  'heads' | 'scaleAttention' | 'attentionDropout'
>;

/** Enc, AugF and Clf of the paper. */
export class FeatMatchNetwork extends Module {
  readonly encoder: Encoder;
  readonly augmentation: FeatureAugmentation | null;
  readonly classifier: Linear;

  /**
   * @param options null: without AugF
   * @throws InputError where the number of heads does not divide that of the features
   */
  constructor(options: AttentionOptions | null, { createEncoder, classes, generator }: NetworkContext) {
    super();
    this.encoder = createEncoder();
    const { featureDimension } = this.encoder;
    this.augmentation =
      options === null ? null : createAugmentation(options, { featureDimension, generator });
    this.classifier = new Linear(featureDimension, classes, { generator, initialization: 'glorot' });
  }

  /** AugF(f_x), or the features themselves without AugF and while there are no prototypes. */
  augment(features: Tensor, prototypes: Tensor): Tensor {
    const { augmentation } = this;
    if (augmentation === null || prototypes.shape[0] === 0) return features;
    return profiled('AugF', () => augmentation.forward(features, prototypes));
  }

  /** softmax Clf(AugF(f_x)) (N, classes). */
  probabilities(features: Tensor, prototypes: Tensor): Tensor {
    return tidy(() => this.classifier.forward(this.augment(features, prototypes)).softmax(1));
  }
}

function createAugmentation(
  { heads, scaleAttention, attentionDropout }: AttentionOptions,
  { featureDimension, generator }: { featureDimension: number; generator: Generator },
): FeatureAugmentation {
  if (featureDimension % heads !== 0) {
    throw new InputError(
      `the heads of AugF cannot be ${heads}: their number has to divide the ${featureDimension} features of the model`,
    );
  }
  return new FeatureAugmentation({
    featureDimension,
    heads,
    headDimension: featureDimension / heads,
    scaleAttention,
    attentionDropout,
    generator,
  });
}
