import { beforeAll, describe, expect, it } from 'vitest';
import { expectNumbers } from '../../../test/support/tensors.js';
import {
  type ToyBatchOptions,
  ToyEncoder,
  toyBatch,
  toyContext,
  toyImages,
} from '../../../test/support/toy.js';
import { InputError } from '../../errors.js';
import { Sgd, updateWeightAverage } from '../../nn/index.js';
import {
  concatenate,
  Generator,
  keep,
  liveTensors,
  ones,
  setThreads,
  type Tensor,
  tensor,
  tidy,
} from '../../tensor/index.js';
import { featmatch } from './featmatch.js';
import type { FeatMatchNetwork } from './network.js';
import { type FeatMatchOptions, featMatchOptions } from './options.js';

beforeAll(() => setThreads(1));

const CLASSES = 3;
const UNLABELED = 4;
/** Two labeled images of each class, as they are. */
const LABELED = { images: toyImages(6, 99), labels: Int32Array.of(0, 1, 2, 0, 1, 2) };

/** Short phases, and nothing else: every pseudo-label counts as it is. */
function optionsOf(changes: Partial<FeatMatchOptions> = {}): FeatMatchOptions {
  return featMatchOptions.parse({
    pseudoLabels: 'no-grad',
    temperature: 1,
    threshold: 0,
    adaptiveThreshold: false,
    distributionAlignment: false,
    rampSteps: 0,
    heads: 2,
    attentionDropout: 0,
    prototypesPerClass: 2,
    warmupSteps: 3,
    extractEvery: 4,
    ...changes,
  });
}

interface SetUp {
  readonly options?: Partial<FeatMatchOptions>;
  readonly batchNorm?: boolean;
  readonly withAverage?: boolean;
  readonly averageSeed?: number;
  /** classes of the six labeled images */
  readonly labels?: readonly number[];
}

/** A learner on a toy encoder, with an optimizer. */
function setUp(setting: SetUp = {}) {
  const {
    options: changes,
    batchNorm,
    withAverage = false,
    averageSeed = 1,
    labels = LABELED.labels,
  } = setting;
  const options = optionsOf(changes);
  const networkOf = (seed: number, generator = new Generator(seed)) =>
    featmatch.createNetwork(options, {
      createEncoder: () => new ToyEncoder({ batchNorm, seed }),
      classes: CLASSES,
      generator,
    });
  const dropoutGenerator = new Generator(1);
  const network = networkOf(1, dropoutGenerator);
  const average = withAverage ? networkOf(averageSeed).train(false) : null;
  const generator = new Generator(5);
  const context = toyContext(network, {
    average,
    classes: CLASSES,
    labelDistribution: [0, 1, 2].map((c) => labels.filter((label) => label === c).length / labels.length),
    unlabeledBatch: UNLABELED,
    generator,
    labeledImages: () => [{ ...LABELED, labels: Int32Array.from(labels) }],
  });
  const learner = featmatch.createLearner(options, context);
  const optimizer = new Sgd(network.namedParameters(), { momentum: 0.9, nesterov: true, weightDecay: 1e-3 });
  optimizer.learningRate = 0.05;
  return { options, network, average, learner, optimizer, generator, dropoutGenerator };
}

type Learning = ReturnType<typeof setUp>;

const batchOf = (step: number, options: ToyBatchOptions = {}) =>
  toyBatch(step + 1, { unlabeled: UNLABELED, ...options });

/** Steps of training, as the trainer makes them. @returns the metrics of each as numbers */
function train({ learner, optimizer, network, average }: Learning, from: number, to: number) {
  return Array.from({ length: to - from }, (_, i) =>
    tidy(() => {
      const { loss, metrics } = learner.step(batchOf(from + i), from + i);
      loss.backward();
      optimizer.step();
      if (average !== null) updateWeightAverage(average, network, 0.5);
      return numbersOf(metrics);
    }),
  );
}

const numbersOf = (metrics: Readonly<Record<string, Tensor | number>>) =>
  Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, typeof value === 'number' ? value : value.item()]),
  );

/** The metrics of one step, without learning from it. */
const look = ({ learner }: Learning, step: number, options: ToyBatchOptions = {}) =>
  tidy(() => numbersOf(learner.step(batchOf(step, options), step).metrics));

const stateShape = ({ learner }: Learning, name: string) => tidy(() => learner.state().get(name)?.shape);

describe('a step of FeatMatch', () => {
  it('gives a finite loss and finite metrics, before and after the first prototypes', () => {
    const metrics = train(setUp(), 0, 9);
    for (const values of metrics) {
      expect(Object.values(values).every(Number.isFinite)).toBe(true);
      expect(values.coverage).toBe(1);
      expect(values.confidence).toBeGreaterThan(1 / CLASSES);
    }
  });

  it('has consistency losses that are not zero on an untrained network', () => {
    for (const pseudoLabels of ['joint', 'no-grad', 'average'] as const) {
      const { lossConG, lossConF } = look(setUp({ options: { pseudoLabels }, withAverage: true }), 0);
      expect(lossConG).toBeGreaterThan(0.1);
      expect(lossConF).toBeGreaterThan(0.1);
    }
  });

  it('adds its losses with their weights and the ramp', () => {
    const learning = setUp({
      options: { lambdaG: 0.5, lambdaF: 2, plainLabeledWeight: 0, rampSteps: 8, warmupSteps: 100 },
    });
    for (const step of [0, 2, 8, 20]) {
      const { loss, lossClf, lossConG, lossConF } = look(learning, step);
      const ramp = Math.min(1, step / 8);
      expect(loss).toBeCloseTo(lossClf + ramp * (0.5 * lossConG + 2 * lossConF), 5);
    }
  });

  it('classifies labeled images by their plain features too where that has a weight', () => {
    // before there are prototypes, augmented features are the plain ones
    const plain = { lambdaG: 0, lambdaF: 0, warmupSteps: 100 };
    const once = look(setUp({ options: { ...plain, plainLabeledWeight: 0 } }), 0);
    const twice = look(setUp({ options: { ...plain, plainLabeledWeight: 1 } }), 0);
    expect(once.loss).toBeCloseTo(once.lossClf, 6);
    expect(twice.loss).toBeCloseTo(2 * once.lossClf, 5);
  });

  it('gives every view of an image its own label and pseudo-label', () => {
    // Views that are copies must give the losses of single views.
    const learning = setUp();
    const single = batchOf(0);
    const repeat = (images: Tensor) => concatenate([images, images]);
    const { labeled, unlabeled } = single;
    const double = {
      ...single,
      labeled: { ...labeled, images: repeat(labeled.images), strong: repeat(labeled.strong) },
      unlabeled: { ...unlabeled, strong: repeat(unlabeled.strong) },
    };
    const [one, two] = [single, double].map((batch) =>
      tidy(() => numbersOf(learning.learner.step(batch, 0).metrics)),
    );
    expectNumbers(Object.values(two), Object.values(one), { tolerance: 1e-5 });
  });

  it('counts pseudo-labels by their confidence', () => {
    const { confidence, coverage, lossConG } = look(setUp({ options: { threshold: 1 } }), 0);
    expect(confidence).toBeLessThan(1);
    expect(coverage).toBe(0);
    expect(lossConG).toBe(0);
    expect(look(setUp({ options: { adaptiveThreshold: true } }), 0).coverage).toBeGreaterThan(0);
  });

  it('sharpens pseudo-labels, down to the most probable class alone', () => {
    // the cross-entropy with a one-hot target is that of a very sharp one
    const hard = look(setUp({ options: { temperature: 0 } }), 0);
    const sharp = look(setUp({ options: { temperature: 0.001 } }), 0);
    const soft = look(setUp({ options: { temperature: 1 } }), 0);
    expect(hard.lossConG).toBeCloseTo(sharp.lossConG, 2);
    expect(Math.abs(hard.lossConG - soft.lossConG)).toBeGreaterThan(0.01);
  });

  it('aligns pseudo-labels where it is asked to', () => {
    const aligned = look(setUp({ options: { distributionAlignment: true } }), 0);
    expect(aligned.lossConG).not.toBeCloseTo(look(setUp(), 0).lossConG, 6);
    expect(aligned.confidence).toBe(look(setUp(), 0).confidence); // of the network, before alignment
  });

  it("aligns them to the classes' shares among the labeled images", () => {
    const learning = setUp({ options: { distributionAlignment: true }, labels: [0, 0, 0, 1, 1, 2] });
    look(learning, 0);
    expectNumbers(learning.learner.state().get('alignment.expected')?.numbers() ?? [], [3 / 6, 2 / 6, 1 / 6]);
  });

  it('learns: the loss of the same batch falls', () => {
    const learning = setUp();
    const { learner, optimizer } = learning;
    optimizer.learningRate = 0.1;
    const losses = Array.from({ length: 40 }, (_, step) =>
      tidy(() => {
        const { loss, metrics } = learner.step(batchOf(0), step);
        loss.backward();
        optimizer.step();
        return numbersOf(metrics).lossClf;
      }),
    );
    expect(losses[39]).toBeLessThan(0.2 * losses[0]);
  });

  it('leaves the number of living tensors as it is, through extractions', () => {
    const options = { distributionAlignment: true, adaptiveThreshold: true, attentionDropout: 0.1 };
    const learning = setUp({ options: { ...options, pseudoLabels: 'average' }, withAverage: true });
    const live = Array.from({ length: 12 }, (_, step) => {
      train(learning, step, step + 1);
      return liveTensors();
    });
    expect(live.slice(2)).toEqual(Array<number>(10).fill(live[1]));
  });
});

describe('gradients', () => {
  it.each(['joint', 'no-grad', 'average'] as const)(
    'reach every parameter of the network and none of its average (pseudo-labels: %s)',
    (pseudoLabels) => {
      const learning = setUp({ options: { pseudoLabels }, withAverage: true });
      train(learning, 0, 4);
      const { learner, network, average } = learning;
      learner.step(batchOf(4), 4).loss.backward();
      for (const [name, parameter] of network.namedParameters()) {
        const derivatives = parameter.grad?.numbers() ?? [];
        expect(
          derivatives.some((derivative) => derivative !== 0),
          name,
        ).toBe(true);
      }
      for (const parameter of average?.parameters() ?? []) {
        expect(parameter.requiresGrad).toBe(true); // and yet:
        expect(parameter.grad).toBeNull();
      }
    },
  );

  it.each(['joint', 'no-grad', 'average'] as const)(
    'do not reach the weak views: pseudo-labels are constants (%s)',
    (pseudoLabels) => {
      const learning = setUp({ options: { pseudoLabels }, withAverage: true });
      train(learning, 0, 4);
      const batch = batchOf(4);
      batch.unlabeled.weak.requiresGrad = true;
      batch.unlabeled.strong.requiresGrad = true;
      learning.learner.step(batch, 4).loss.backward();
      const isZero = (gradient: Tensor | null) => gradient === null || gradient.abs().sum().item() === 0;
      expect(isZero(batch.unlabeled.weak.grad)).toBe(true);
      expect(isZero(batch.unlabeled.strong.grad)).toBe(false);
    },
  );

  it('of a pseudo-label that does not count are zero', () => {
    const { learner } = setUp({ options: { threshold: 1 } });
    const batch = batchOf(0);
    batch.unlabeled.strong.requiresGrad = true;
    learner.step(batch, 0).loss.backward();
    expect(batch.unlabeled.strong.grad?.abs().sum().item()).toBe(0);
  });
});

describe('pseudo-labels', () => {
  it('are the same from the training pass and from a pass of its own, where no layer looks at the whole batch', () => {
    const joint = look(setUp({ options: { pseudoLabels: 'joint' } }), 0);
    expectNumbers(Object.values(look(setUp(), 0)), Object.values(joint), { tolerance: 1e-5 });
  });

  it('come from a pass of its own without the strong views in its batch statistics', () => {
    const statistics = (pseudoLabels: 'joint' | 'no-grad') => {
      const learning = setUp({ options: { pseudoLabels }, batchNorm: true });
      look(learning, 0);
      return learning.network.namedTensors().get('encoder.norm.running_mean')?.numbers();
    };
    expect(statistics('joint')).not.toEqual(statistics('no-grad'));
  });

  it('come from the average of the weights where that is asked for', () => {
    const average = look(
      setUp({ options: { pseudoLabels: 'average' }, withAverage: true, averageSeed: 2 }),
      0,
    );
    const same = look(setUp({ options: { pseudoLabels: 'average' }, withAverage: true }), 0);
    const own = look(setUp(), 0);
    expect(same.confidence).toBeCloseTo(own.confidence, 6);
    expect(average.confidence).not.toBeCloseTo(own.confidence, 3);
    expect(average.lossClf).toBeCloseTo(own.lossClf, 6); // which the average has no part in
  });

  it('need an average for that', () => {
    expect(() => setUp({ options: { pseudoLabels: 'average' } })).toThrow(InputError);
  });

  it('leave the average in evaluation mode and the network in training mode, through extractions', () => {
    for (const pseudoLabels of ['no-grad', 'average'] as const) {
      const learning = setUp({ options: { pseudoLabels, warmupSteps: 0 }, withAverage: true });
      look(learning, 0);
      expect(learning.network.encoder.training).toBe(true);
      expect(learning.average?.encoder.training).toBe(false);
    }
  });
});

describe('the memory bank', () => {
  it('is filled by every step after the warm-up, and emptied by each extraction', () => {
    const learning = setUp({ options: { warmupSteps: 3, extractEvery: 4 } });
    const rows = Array.from({ length: 12 }, (_, step) => {
      train(learning, step, step + 1);
      return stateShape(learning, 'bank.features')?.[0] ?? 0;
    });
    expect(rows).toEqual([0, 0, 0, 4, 8, 12, 16, 4, 8, 12, 16, 4]);
  });

  it.each(['joint', 'no-grad', 'average'] as const)('holds numbers without history (%s)', (pseudoLabels) => {
    const learning = setUp({ options: { pseudoLabels, warmupSteps: 0 }, withAverage: true });
    const live = Array.from({ length: 4 }, (_, step) => {
      train(learning, step, step + 1);
      return liveTensors();
    });
    expect(live[3]).toBe(live[1]);
    const state = learning.learner.state();
    expect([...state].filter(([, { requiresGrad }]) => requiresGrad)).toEqual([]);
  });

  it('holds the features of the weak views and their pseudo-labels before they are sharpened', () => {
    const learning = setUp({ options: { temperature: 0, warmupSteps: 0 } });
    const batch = batchOf(0);
    learning.learner.step(batch, 0);
    const state = learning.learner.state();
    const features = learning.network.encoder.forward(batch.unlabeled.weak);
    expectNumbers(state.get('bank.features')?.numbers() ?? [], features.numbers());
    const probabilities = learning.learner.predict(learning.network, batch.unlabeled.weak);
    expectNumbers(state.get('bank.probabilities')?.numbers() ?? [], probabilities.numbers());
  });
});

describe('prototypes', () => {
  it('are extracted at the end of the warm-up and at each interval after it', () => {
    const learning = setUp({ options: { warmupSteps: 3, extractEvery: 4 } });
    let before = '';
    const changed = Array.from({ length: 12 }, (_, step) => {
      train(learning, step, step + 1);
      const now = tidy(() => String(learning.learner.state().get('prototypes')?.numbers()));
      const isNew = now !== before;
      before = now;
      return isNew ? step : null;
    });
    expect(changed.filter((step) => step !== null)).toEqual([3, 7, 11]);
  });

  it('are those of every class, from labeled images first', () => {
    const learning = setUp({ options: { prototypesPerClass: 1 } });
    train(learning, 0, 4);
    const { features, labels, encoder } = {
      features: learning.learner.state().get('prototypes') as Tensor,
      labels: learning.learner.state().get('prototypeLabels')?.numbers(),
      encoder: learning.network.encoder,
    };
    expect(labels).toEqual([0, 1, 2]);
    expect(features.shape).toEqual([CLASSES, encoder.featureDimension]);
  });

  it('are made by the network in evaluation mode', () => {
    // With one prototype a class and nothing recorded they are the class means of the clean features.
    const learning = setUp({ options: { prototypesPerClass: 1, warmupSteps: 0 }, batchNorm: true });
    learning.network.train(false);
    const clean = learning.network.encoder.forward(LABELED.images); // classes 0, 1, 2, 0, 1, 2
    const means = clean
      .narrow(0, 0, 3)
      .add(clean.narrow(0, 3, 3))
      .div(2);
    learning.network.train(true);
    look(learning, 0);
    expectNumbers(learning.learner.state().get('prototypes')?.numbers() ?? [], means.numbers());
  });

  it('change the loss through AugF as soon as there are any', () => {
    const early = look(setUp({ options: { warmupSteps: 0 } }), 0);
    const late = look(setUp({ options: { warmupSteps: 100 } }), 0);
    expect(early.lossClf).not.toBeCloseTo(late.lossClf, 4);
    expect(late.lossConG).toBeCloseTo(late.lossConF, 6); // without prototypes g is f
    expect(early.lossConG).not.toBeCloseTo(early.lossConF, 6);
  });
});

describe('predict', () => {
  const images = toyImages(5, 50);

  it('gives probabilities', () => {
    const { learner, network } = setUp();
    const probabilities = learner.predict(network, images);
    expect(probabilities.shape).toEqual([5, CLASSES]);
    expectNumbers(probabilities.sum([1]).numbers(), [1, 1, 1, 1, 1]);
  });

  it('classifies plain features before there are prototypes, and augmented ones from then on', () => {
    const learning = setUp();
    const { learner, network } = learning;
    const plain = network.classifier.forward(network.encoder.forward(images)).softmax(1);
    expectNumbers(learner.predict(network, images).numbers(), plain.numbers());
    const prototypesOf = (value: number) =>
      new Map([
        ['prototypes', ones([2, network.encoder.featureDimension]).mul(value)],
        ['prototypeLabels', tensor(Int32Array.of(0, 1))],
      ]);
    learner.load(prototypesOf(1));
    const ofOnes = learner.predict(network, images).numbers();
    learner.load(prototypesOf(2));
    const ofTwos = learner.predict(network, images).numbers();
    expect(ofOnes).not.toEqual(plain.numbers());
    expect(ofTwos).not.toEqual(ofOnes);
  });

  it('uses the network that it is given', () => {
    const { learner, network } = setUp();
    const other = setUp({ withAverage: true, averageSeed: 2 }).average as FeatMatchNetwork;
    expect(learner.predict(other, images).equals(learner.predict(network, images))).toBe(false);
  });

  it('draws nothing and does not change what follows', () => {
    const learning = setUp({ options: { attentionDropout: 0.5 } });
    train(learning, 0, 4);
    learning.network.train(false);
    const first = learning.learner.predict(learning.network, images);
    expect(first.equals(learning.learner.predict(learning.network, images))).toBe(true);
  });
});

describe('the state of a learner', () => {
  const everything: SetUp = {
    options: {
      distributionAlignment: true,
      adaptiveThreshold: true,
      attentionDropout: 0.2,
      pseudoLabels: 'average',
    },
    batchNorm: true,
    withAverage: true,
  };

  /** Another learner that continues where this one is. */
  function copyOf(learning: Learning, into: Learning = setUp(everything)): Learning {
    const copy = (tensors: ReadonlyMap<string, Tensor>) =>
      new Map([...tensors].map(([name, value]) => [name, value.detach().clone()] as const));
    into.network.load(copy(learning.network.namedTensors()));
    if (learning.average !== null) into.average?.load(copy(learning.average.namedTensors()));
    into.optimizer.load(copy(learning.optimizer.state()));
    into.learner.load(tidy(() => copy(learning.learner.state())));
    into.generator.state = learning.generator.state;
    into.dropoutGenerator.state = learning.dropoutGenerator.state;
    return into;
  }

  // before the warm-up ends, at an extraction, between extractions, at the next one
  it.each([0, 1, 3, 4, 6, 7])('is all that is needed to continue bit for bit after %i steps', (steps) => {
    const learning = setUp(everything);
    train(learning, 0, steps);
    const continued = copyOf(learning);
    expect(train(continued, steps, 13)).toEqual(train(learning, steps, 13));
    const images = toyImages(5, 50);
    const predictions = [learning, continued].map(({ learner, network }) => learner.predict(network, images));
    expect(predictions[0].equals(predictions[1])).toBe(true);
  });

  it('replaces what another learner had before', () => {
    const learning = setUp(everything);
    train(learning, 0, 2);
    const other = setUp(everything);
    train(other, 0, 9);
    copyOf(learning, other);
    expect(stateShape(other, 'bank.features')).toBeUndefined();
    expect(train(other, 2, 9)).toEqual(train(learning, 2, 9));
  });

  it('is copied: what was given may be freed', () => {
    const learning = setUp(everything);
    train(learning, 0, 6);
    const state = new Map([...learning.learner.state()].map(([name, value]) => [name, keep(value.clone())]));
    const { learner } = setUp(everything);
    learner.load(state);
    for (const value of state.values()) value.dispose();
    expect([...learner.state().values()].some(({ isDisposed }) => isDisposed)).toBe(false);
  });

  it('is refused where it is of another learner', () => {
    expect(() => setUp().learner.load(new Map())).toThrow('the saved state has no prototypes');
    const plain = setUp().learner.state();
    expect(() => setUp({ options: { adaptiveThreshold: true } }).learner.load(plain)).toThrow(
      'the saved state has no threshold.confidence',
    );
  });
});

describe('the declaration of FeatMatch', () => {
  it('asks for one weak view of each unlabeled image and the strong and labeled views of its options', () => {
    expect(
      featmatch.views(optionsOf({ strongViews: 3, labeledWeakViews: 2, labeledStrongViews: 4 })),
    ).toEqual({
      labeled: { weak: 2, strong: 4 },
      unlabeled: { weak: 1, strong: 3 },
    });
  });

  it('shares the features out evenly among the heads', () => {
    expect(() => setUp({ options: { heads: 3 } })).toThrow(
      'the heads of AugF cannot be 3: their number has to divide the 8 features of the model',
    );
    const network = setUp({ options: { heads: 4 } }).network;
    expect(network.namedTensors().get('augmentation.phi_e.3.weight')?.shape).toEqual([2, 8]);
  });
});
