/** The two kinds of training step of the published code, with λ and the permutation given and dropout off. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  expectParity,
  expectRelative,
  fillParameter,
  GRADIENT_TOLERANCE,
  OUTPUT_TOLERANCE,
  type ParameterFill,
  type ParityParameter,
  parityJson,
  parityTensors,
  roundingOf,
} from '../../../test/support/parity.js';
import { ownEncoderName, publishedModel } from '../../../test/support/published-networks.js';
import { ToyEncoder, toyBatch, toyContext } from '../../../test/support/toy.js';
import { createEncoder, type ModelOptions } from '../../models/index.js';
import {
  arange,
  concatenate,
  Generator,
  noGrad,
  setThreads,
  type Tensor,
  tensor,
  tidy,
} from '../../tensor/index.js';
import type { Batch, Views } from '../batch.js';
import { FeatMatchNetwork } from './network.js';
import { featmatchReference, ReferenceLearner, type ReferenceOptions } from './reference.js';

beforeAll(() => setThreads(1));

interface StepParity {
  readonly parameter_fill: ParameterFill;
  readonly kind: 'train1' | 'train2';
  readonly iter: number;
  readonly coeff_rampup: number;
  readonly lambda: number;
  readonly permutation: readonly number[];
  readonly labels: readonly number[];
  readonly loss: number;
  readonly loss_clf: number;
  readonly loss_con_g: number;
  readonly loss_con_f: number;
  readonly parameters: readonly ParityParameter[];
  readonly pred_labeled: readonly (readonly number[])[];
  readonly pseudo_label_probabilities_unsharpened: readonly (readonly number[])[] | null;
}

const steps = parityJson<StepParity[]>('steps.json');
const stored = parityTensors('steps.safetensors');

const [labeledCount, viewCount, channels] = stored('x_labeled').shape;
const [unlabeledCount] = stored('x_unlabeled').shape;

const ENCODER = 'fext.module.model.';

/** The published names and shapes of the encoder's parameters, without what is before them. */
const encoderParameters = ({ parameters }: StepParity) =>
  parameters
    .filter(({ name }) => name.startsWith(ENCODER))
    .map(({ name, shape }) => ({ name: name.slice(ENCODER.length), shape }));

/** Our name of a published parameter. */
function ownName(model: ModelOptions, published: string): string {
  if (published.startsWith(ENCODER))
    return `encoder.${ownEncoderName(model, published.slice(ENCODER.length))}`;
  return published
    .replace(/^atten\.embd(\d+)\./, 'augmentation.phi_e.$1.')
    .replace(/^atten\.fc(\d+)\./, 'augmentation.phi_a.$1.')
    .replace(/^atten\.fc\./, 'augmentation.phi_r.')
    .replace(/^clf\./, 'classifier.');
}

/** The published code concatenates [Σ w e_p, e_x], the paper and we [e_x, Σ w e_p]: the halves of the columns change. */
function ownLayout({ name }: ParityParameter, filled: Tensor): Tensor {
  if (!/^atten\.fc\d+\.weight$/.test(name)) return filled;
  const half = filled.shape[1] / 2;
  const [attended, own] = filled.split([half, half], 1);
  return concatenate([own, attended], 1);
}

function networkOf(
  { parameters, parameter_fill }: StepParity,
  model: ModelOptions,
  options: ReferenceOptions,
): FeatMatchNetwork {
  const generator = new Generator(1);
  const network = new FeatMatchNetwork(options, {
    classes: parameters.find(({ name }) => name === 'clf.weight')?.shape[0] as number,
    generator,
    createEncoder: () => createEncoder(model, { channels, generator }),
  });
  const own = network.namedParameters();
  noGrad(() => {
    for (const parameter of parameters) {
      const filled = ownLayout(parameter, fillParameter(parameter, parameter_fill));
      (own.get(ownName(model, parameter.name)) as Tensor).copyInPlace(filled);
    }
  });
  return network;
}

/** From (images, views, …) to view after view. */
function viewsOf(images: Tensor): Views {
  const [count, views] = images.shape;
  const inOrder = images.transpose(0, 1).flatten(0, 1).contiguous();
  return {
    count,
    images: inOrder,
    weak: inOrder.narrow(0, 0, count),
    strong: inOrder.narrow(0, count, count * (views - 1)),
  };
}

/** Where a row of the published order (all views of an image together) is in ours (a view of all images together). */
function ownRow(row: number): number {
  const start = row < labeledCount * viewCount ? 0 : labeledCount * viewCount;
  const count = start === 0 ? labeledCount : unlabeledCount;
  const image = Math.floor((row - start) / viewCount);
  return start + ((row - start) % viewCount) * count + image;
}

function permutationOf({ permutation }: StepParity): Tensor {
  const own = new Int32Array(permutation.length);
  permutation.forEach((partner, row) => {
    own[ownRow(row)] = ownRow(partner);
  });
  return tensor(own).to('int64');
}

describe.each(steps)('the published step $kind at iteration $iter', (parity) => {
  const hasAugmentation = parity.kind === 'train2';

  it('gives the same predictions, losses and gradients', () => {
    tidy(() => {
      const { features, ...defaults } = {
        ...featmatchReference.options.parse({}),
        features: stored('prototypes'),
      };
      const options = {
        ...(defaults as ReferenceOptions),
        strongViews: viewCount - 1,
        rampSteps: parity.coeff_rampup,
        pretrainSteps: hasAugmentation ? 0 : parity.iter + 1,
        heads: parity.parameters.filter(({ name }) => /^atten\.embd\d+\.weight$/.test(name)).length || 1,
        attentionDropout: 0,
      };
      const model = publishedModel(encoderParameters(parity));
      const network = networkOf(parity, model, options);
      const context = { classes: parity.pred_labeled[0].length, unlabeledBatch: unlabeledCount };
      const learner = new ReferenceLearner(options, toyContext(network, context));
      if (hasAugmentation) {
        const labels = tensor(new Int32Array(features.shape[0]));
        learner.load(
          new Map([
            ['prototypes', features],
            ['prototypeLabels', labels],
          ]),
        );
      }
      const batch: Batch = {
        labels: tensor([...parity.labels], [labeledCount], 'int64'),
        labeled: viewsOf(stored('x_labeled')),
        unlabeled: viewsOf(stored('x_unlabeled')),
        unlabeledIndices: arange(unlabeledCount),
      };

      const images = concatenate([batch.labeled.images, batch.unlabeled.images]);
      const { p_labeled, p_weak } = noGrad(() => learner.labelWeakViews(batch, images));
      expectParity(p_labeled, probabilities(parity.pred_labeled));
      if (parity.pseudo_label_probabilities_unsharpened !== null) {
        expectParity(p_weak, probabilities(parity.pseudo_label_probabilities_unsharpened));
      }

      const mixing = { lambda: parity.lambda, permutation: permutationOf(parity) };
      const { loss, metrics } = learner.loss(batch, parity.iter, mixing);
      const numberOf = (value: Tensor | number) => (typeof value === 'number' ? value : value.item());
      expectRelative(loss.item(), parity.loss, OUTPUT_TOLERANCE);
      expectRelative(metrics.lossClf.item(), parity.loss_clf, OUTPUT_TOLERANCE);
      expectRelative(metrics.lossConG.item(), parity.loss_con_g, OUTPUT_TOLERANCE);
      expectRelative(numberOf(metrics.lossConF), parity.loss_con_f, OUTPUT_TOLERANCE);

      loss.backward();
      const own = network.namedParameters();
      const rounding = roundingOf(parity.parameters);
      for (const { name, grad_l2 } of parity.parameters) {
        const gradient = own.get(ownName(model, name))?.grad ?? null;
        if (grad_l2 === null) expect(gradient, `the gradient of ${name}`).toBeNull();
        else {
          const norm = gradient?.mul(gradient).sum().sqrt().item() as number;
          expectRelative(norm, grad_l2, GRADIENT_TOLERANCE, rounding);
        }
      }
    });
  });
});

describe('pseudo-labels from the weak views alone', () => {
  const options = (pseudoLabels: ReferenceOptions['pseudoLabels']) =>
    ({
      ...(featmatchReference.options.parse({}) as ReferenceOptions),
      pseudoLabels,
      attentionDropout: 0,
    }) satisfies ReferenceOptions;
  const batch = () => toyBatch(1, { labeledWeakViews: 1, labeledStrongViews: 2, strongViews: 2 });

  /** What the first pass gives for the batch, by a network of the same weights. */
  function labels(pseudoLabels: ReferenceOptions['pseudoLabels'], training: boolean) {
    const network = new FeatMatchNetwork(options(pseudoLabels), {
      classes: 3,
      generator: new Generator(2),
      createEncoder: () => new ToyEncoder({ batchNorm: true }),
    }).train(training);
    const learner = new ReferenceLearner(options(pseudoLabels), toyContext(network, { classes: 3 }));
    const { labeled, unlabeled } = batch();
    const images = concatenate([labeled.images, unlabeled.images]);
    return { network, ...noGrad(() => learner.labelWeakViews(batch(), images)) };
  }

  it('are the published ones where no batch statistics are involved', () => {
    const [all, weak] = [labels('all-views', false), labels('weak-views', false)];
    expectParity(weak.p_labeled, all.p_labeled);
    expectParity(weak.p_weak, all.p_weak);
    expectParity(weak.f_weak, all.f_weak);
  });

  it('are normalized by the statistics of the weak views, which also move the running ones', () => {
    const { network, p_weak } = labels('weak-views', true);
    const { labeled, unlabeled } = batch();
    const weakViews = concatenate([labeled.weak, unlabeled.weak]);
    const other = labels('weak-views', false).network.train(true);
    const features = noGrad(() => other.encoder.forward(weakViews)).narrow(0, labeled.count, unlabeled.count);
    expectParity(
      p_weak,
      noGrad(() => other.classifier.forward(features).softmax(1)),
    );
    const mean = (of: FeatMatchNetwork) => of.namedTensors().get('encoder.norm.running_mean') as Tensor;
    expect(mean(network).equals(mean(other))).toBe(true);
    expect(labels('all-views', true).p_weak.equals(p_weak)).toBe(false);
  });

  it('cost one view of each image instead of all', () => {
    const guessing = (pseudoLabels: 'all-views' | 'weak-views') =>
      featmatchReference.passes(options(pseudoLabels)).unlabeled;
    expect(guessing('all-views')).toEqual({ learning: 9, guessing: 9 });
    expect(guessing('weak-views')).toEqual({ learning: 9, guessing: 1 });
  });
});

function probabilities(rows: readonly (readonly number[])[]): Tensor {
  return tensor(rows.flat(), [rows.length, rows[0].length]);
}
