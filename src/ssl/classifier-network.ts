import type { Encoder } from '../models/encoder.js';
import { Linear, Module } from '../nn/index.js';
import { type Tensor, tidy } from '../tensor/index.js';
import type { NetworkContext } from './algorithm.js';

/** Clf(Enc(x)): an encoder and a linear classifier. */
export class ClassifierNetwork extends Module {
  readonly encoder: Encoder;
  readonly classifier: Linear;

  constructor(context: NetworkContext) {
    super();
    this.encoder = context.createEncoder();
    this.classifier = new Linear(this.encoder.featureDimension, context.classes, {
      generator: context.generator,
      initialization: 'glorot',
    });
  }

  /** Logits (N, classes) of images. */
  forward(images: Tensor): Tensor {
    return tidy(() => this.classifier.forward(this.encoder.forward(images)));
  }

  /** softmax of the logits (N, classes) of images. */
  probabilities(images: Tensor): Tensor {
    return tidy(() => this.forward(images).softmax(1));
  }
}
