/** Equations (1) to (7) of the paper as the learner computes them, against the equations written out in PyTorch. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  expectParity,
  expectRelative,
  GRADIENT_TOLERANCE,
  OUTPUT_TOLERANCE,
  parityJson,
  parityTensors,
} from '../../../test/support/parity.js';
import { IdentityEncoder, toyContext, viewsOf } from '../../../test/support/toy.js';
import { arange, Generator, ones, setThreads, type Tensor, tensor, zeros } from '../../tensor/index.js';
import type { Learner } from '../algorithm.js';
import { featmatch } from './featmatch.js';
import { FeatureAugmentation } from './feature-augmentation.js';
import { FeatMatchNetwork } from './network.js';
import { type FeatMatchOptions, featMatchOptions } from './options.js';

beforeAll(() => setThreads(1));

const parity = parityJson<{
  concatenation: string;
  lambda_g: number;
  lambda_f: number;
  loss_clf: number;
  loss_con_g: number;
  loss_con_f: number;
  loss_total: number;
}>('equations.json');
const stored = parityTensors('equations.safetensors');

const [classes, featureDimension] = stored('clf.weight').shape;
const [headDimension] = stored('phi_e.weight').shape;
const generator = new Generator(1);

/** One head whose dimension is the file's, not f_dim / heads. */
function augmentationOf(weights: (name: string) => Tensor): FeatureAugmentation {
  const augmentation = new FeatureAugmentation({
    featureDimension,
    heads: 1,
    headDimension,
    scaleAttention: false,
    attentionDropout: 0,
    generator,
  });
  augmentation.load(
    new Map([...augmentation.namedTensors().keys()].map((name) => [name, weights(name.replace('.0.', '.'))])),
  );
  return augmentation;
}

/** Only what the equations have: every pseudo-label counts as it is, and no other loss. */
const options: FeatMatchOptions = featMatchOptions.parse({
  lambdaG: parity.lambda_g,
  lambdaF: parity.lambda_f,
  plainLabeledWeight: 0,
  rampSteps: 0,
  pseudoLabels: 'joint',
  temperature: 1,
  threshold: 0,
  adaptiveThreshold: false,
  distributionAlignment: false,
  heads: 1,
  warmupSteps: 100,
});

function learnerOf(network: FeatMatchNetwork): Learner<FeatMatchNetwork> {
  const prototypes = stored('prototypes');
  const unlabeledBatch = stored('features_weak').shape[0];
  const learner = featmatch.createLearner(options, toyContext(network, { classes, unlabeledBatch }));
  learner.load(
    new Map([
      ['prototypes', prototypes],
      ['prototypeLabels', tensor(new Int32Array(prototypes.shape[0]))],
    ]),
  );
  return learner;
}

/** A network that takes features for images, so that the batch holds the features of the file. */
function networkOf(): FeatMatchNetwork {
  const network = new FeatMatchNetwork(options, {
    createEncoder: () => new IdentityEncoder(featureDimension),
    classes,
    generator,
  });
  Object.assign(network, { augmentation: augmentationOf(stored) });
  network.classifier.load(
    new Map([
      ['weight', stored('clf.weight')],
      ['bias', stored('clf.bias')],
    ]),
  );
  return network;
}

function batchOf(weak: Tensor) {
  const labeled = stored('features_labeled');
  return {
    labels: stored('labels'),
    labeled: viewsOf(labeled.shape[0], zeros([0, featureDimension]), labeled),
    unlabeled: viewsOf(weak.shape[0], weak, stored('features_strong')),
    unlabeledIndices: arange(weak.shape[0]),
  };
}

describe('the equations of the paper', () => {
  it('are stored for the order of concatenation that equation (2) has', () => {
    expect(parity.concatenation).toMatch(/^\[e_x, /);
  });

  it('(1) and (3): attention and refined features', () => {
    const { refined, attention } = augmentationOf(stored).attend(
      stored('features_weak'),
      stored('prototypes'),
    );
    expectParity(attention[0], stored('attention_weak'));
    expectParity(refined, stored('g_weak'));
  });

  it('(2): f_a, read out through a φ_r that copies it', () => {
    const features = stored('features_weak');
    // g = relu(f_x + [part of f_a, 0] + lift), where the lift keeps everything positive
    const lift = 1 + Math.max(...features.numbers().map(Math.abs));
    for (let start = 0; start < headDimension; start += featureDimension) {
      const length = Math.min(featureDimension, headDimension - start);
      const copy = zeros([featureDimension, headDimension]);
      for (let i = 0; i < length; i++)
        copy
          .narrow(0, i, 1)
          .narrow(1, start + i, 1)
          .fillInPlace(1);
      const augmentation = augmentationOf((name) => {
        if (name === 'phi_r.weight') return copy;
        return name === 'phi_r.bias' ? ones([featureDimension]).mul(lift) : stored(name);
      });
      const g = augmentation.forward(features, stored('prototypes'));
      const f_a = g.sub(features).sub(lift).narrow(1, 0, length);
      expectParity(f_a, stored('f_a_weak').narrow(1, start, length));
    }
  });

  it('the pseudo-labels p_g', () => {
    const network = networkOf();
    expectParity(learnerOf(network).predict(network, stored('features_weak')), stored('pseudo_labels'));
  });

  it('(4) to (7): the losses, and the gradients of all parameters', () => {
    const network = networkOf();
    const { loss, metrics } = learnerOf(network).step(batchOf(stored('features_weak')), 0);
    const { lossClf, lossConG, lossConF } = metrics as Record<string, Tensor>;
    expectRelative(lossClf.item(), parity.loss_clf, OUTPUT_TOLERANCE);
    expectRelative(lossConG.item(), parity.loss_con_g, OUTPUT_TOLERANCE);
    expectRelative(lossConF.item(), parity.loss_con_f, OUTPUT_TOLERANCE);
    expectRelative(loss.item(), parity.loss_total, OUTPUT_TOLERANCE);

    loss.backward();
    const own = new Map([
      ...[...(network.augmentation as FeatureAugmentation).namedParameters()].map(
        ([name, t]) => [name.replace('.0.', '.'), t] as const,
      ),
      ...[...network.classifier.namedParameters()].map(([name, t]) => [`clf.${name}`, t] as const),
    ]);
    expect(own.size).toBe(8);
    for (const [name, parameter] of own) {
      expectParity(parameter.grad as Tensor, stored(`grad.${name}`), GRADIENT_TOLERANCE);
    }
  });

  it('send no gradient through the pseudo-labels', () => {
    const batch = batchOf(stored('features_weak'));
    batch.unlabeled.weak.requiresGrad = true;
    const { loss } = learnerOf(networkOf()).step(batch, 0);
    loss.backward();
    const gradient = batch.unlabeled.weak.grad;
    expect(gradient === null || gradient.numbers().every((derivative) => derivative === 0)).toBe(true);
  });
});
