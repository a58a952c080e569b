/**
 * What every algorithm of the table keeps to. A new one is tested here by being in the table; that its loss is the
 * paper's, worked out in plain numbers, is tested in losses.test.ts.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { expectNumbers } from '../../test/support/tensors.js';
import { toyImages } from '../../test/support/toy.js';
import { stripesPair, toyConfig } from '../../test/support/toy-images.js';
import {
  copyLearning,
  numbersOf,
  type ToyLearning,
  type ToySetting,
  toyLearning,
} from '../../test/support/toy-learning.js';
import { InputError } from '../errors.js';
import type { Module } from '../nn/index.js';
import { METRICS } from '../runs/index.js';
import { liveTensors, setThreads, type Tensor, tidy } from '../tensor/index.js';
import { Learning } from '../train/learning.js';
import { placesOf, toBatch, toImages } from '../train/pixels.js';
import {
  createTrainingLoader,
  type Experiment,
  labelDistribution,
  labeledImages,
  prepareExperiment,
} from '../train/prepare.js';
import { type Algorithm, algorithms } from './index.js';

beforeAll(() => setThreads(1));

type Name = keyof typeof algorithms;
type Settings = Readonly<Record<string, unknown>>;

/** Everything that an algorithm does happens within a few steps, and every pseudo-label counts. */
const QUICK: Settings = {
  threshold: 0,
  rampShare: 0,
  rampSteps: 0,
  warmupSteps: 1,
  pretrainSteps: 1,
  extractEvery: 2,
  prototypesPerClass: 2,
  heads: 2,
  attentionDropout: 0.1,
  strongViews: 2,
};
const COMPONENT: Settings = {
  warmupSteps: 1,
  extractEvery: 2,
  prototypesPerClass: 2,
  heads: 2,
  attentionDropout: 0.1,
};

interface Case {
  readonly title: string;
  readonly name: Name;
  readonly settings: Settings;
}

const algorithmOf = (name: Name) => algorithms[name] as unknown as Algorithm<unknown, Module>;
const has = (name: Name, option: string) => option in algorithmOf(name).options.shape;
const wantsUnlabeled = ({ name, settings }: Case) => {
  const { weak, strong } = algorithmOf(name).views(optionsOf({ name, settings })).unlabeled;
  return weak + strong > 0;
};

/** The algorithms as they are, and those that take FeatMatch's component with it. */
const cases = (Object.keys(algorithms) as Name[]).flatMap((name): Case[] => [
  { title: name, name, settings: {} },
  ...(has(name, 'augmentation')
    ? [{ title: `${name} with AugF`, name, settings: { augmentation: COMPONENT } }]
    : []),
  ...(name === 'fixmatch' || name === 'featmatch' // the others share their code
    ? ['joint', 'no-grad', 'average'].map((pseudoLabels) => ({
        title: `${name}, labels: ${pseudoLabels}`,
        name,
        settings: { pseudoLabels },
      }))
    : []),
]);

/** The settings that the algorithm has, over the quick ones. */
function optionsOf({ name, settings }: Pick<Case, 'name' | 'settings'>, changes: Settings = {}): unknown {
  const wanted = Object.entries({ ...QUICK, ...settings, ...changes }).filter(([option]) =>
    has(name, option),
  );
  return algorithmOf(name).options.parse(Object.fromEntries(wanted));
}

const setUp = (which: Case, setting: ToySetting = {}, changes: Settings = {}) =>
  toyLearning(algorithmOf(which.name), optionsOf(which, changes), setting);

/** The metrics of the first steps, without learning from them. */
const look = ({ learner, batch }: ToyLearning, steps = 4) =>
  Array.from({ length: steps }, (_, step) => tidy(() => numbersOf(learner.step(batch(step), step).metrics)));

const consistency = (metrics: Record<string, number>) =>
  Object.entries(metrics).filter(([metric]) => metric.startsWith('lossCon'));

const isZero = (gradient: Tensor | null) => gradient === null || gradient.abs().sum().item() === 0;

describe.each(cases)('$title', (which) => {
  const algorithm = algorithmOf(which.name);

  it.each([
    { classes: 2, channels: 3 },
    { classes: 100, channels: 1 },
  ])('has finite metrics with $classes classes and $channels channels', (setting) => {
    for (const metrics of setUp(which, setting).train(0, 5)) {
      expect(Object.keys(metrics)).toEqual(
        expect.arrayContaining(wantsUnlabeled(which) ? ['loss', 'lossClf'] : ['loss']),
      );
      expect(Object.values(metrics).every(Number.isFinite), JSON.stringify(metrics)).toBe(true);
      expect(Object.keys(METRICS)).toEqual(expect.arrayContaining(Object.keys(metrics)));
    }
  });

  it('sends gradients to every parameter that learns, and to no teacher or average', () => {
    const { learner, network, average, teachers, batch, train } = setUp(which);
    train(0, 4);
    const before = new Set([average, ...teachers].flatMap((module) => module.parameters()));
    learner.step(batch(4), 4).loss.backward();
    for (const [name, parameter] of network.namedParameters()) {
      expect(isZero(parameter.grad), `the gradient of ${name} is zero`).toBe(false);
    }
    expect([...before].every(({ requiresGrad, grad }) => requiresGrad && grad === null)).toBe(true);
  });

  it('has the same losses with the same seed', () => {
    expect(setUp(which).train(0, 5)).toEqual(setUp(which).train(0, 5));
  });

  it('keeps no tensors from step to step', () => {
    const learning = setUp(which);
    const live = Array.from({ length: 7 }, (_, step) => {
      learning.train(step, step + 1);
      return liveTensors();
    });
    expect(live.slice(2)).toEqual(Array(5).fill(live[1]));
  });

  it('leaves the network in training mode, and teachers and average in evaluation mode', () => {
    const { network, average, teachers, train } = setUp(which);
    train(0, 4);
    expect(network.training).toBe(true);
    expect([average, ...teachers].every(({ training }) => !training)).toBe(true);
  });

  it('tells what it took each unlabeled image for, where it labels them', () => {
    const { learner, batch } = setUp(which);
    const { metrics, pseudoLabels } = learner.step(batch(0), 0);
    expect(pseudoLabels !== undefined).toBe('confidence' in metrics);
    if (pseudoLabels === undefined) return;
    const { classes, confidence, weights } = pseudoLabels;
    for (const { shape } of [classes, confidence, weights]) expect(shape).toEqual([4]);
    const { confidence: mean, coverage = 1 } = numbersOf(metrics);
    expectNumbers([confidence.mean().item(), weights.mean().item()], [mean, coverage]);
    expect(classes.numbers().every((label) => [0, 1, 2].includes(label))).toBe(true);
  });

  it('takes as many images through encoders in a step as it says', () => {
    const { learner, batch, counter } = setUp(which);
    const { labeled, unlabeled } = algorithm.passes(optionsOf(which));
    tidy(() => learner.step(batch(0), 0)); // before there are prototypes
    expect(counter).toEqual({
      learning: 3 * labeled.learning + 4 * unlabeled.learning,
      guessing: 3 * labeled.guessing + 4 * unlabeled.guessing,
    });
  });

  it('predicts probabilities, draws nothing for it and changes nothing', () => {
    const predicting = setUp(which);
    const other = setUp(which);
    predicting.train(0, 4);
    other.train(0, 4);
    predicting.network.train(false);
    const probabilities = predicting.learner.predict(predicting.network, toyImages(5, 50));
    expect(probabilities.shape).toEqual([5, 3]);
    expectNumbers(probabilities.sum([1]).numbers(), [1, 1, 1, 1, 1]);
    predicting.network.train(true);
    expect(predicting.train(4, 7)).toEqual(other.train(4, 7));
  });

  describe('its state', () => {
    it.each([0, 2, 3])('is all that is needed to continue bit for bit after %i steps', (done) => {
      const learning = setUp(which);
      learning.train(0, done);
      const continued = setUp(which, { seed: 2 }); // other weights, and it learned something else before
      continued.train(0, 3);
      copyLearning(learning, continued);
      expect(continued.train(done, 9)).toEqual(learning.train(done, 9));
      const images = toyImages(5, 50);
      const [one, two] = [learning, continued].map(({ learner, average }) =>
        learner.predict(average, images),
      );
      expect(one.equals(two)).toBe(true);
    });

    it('is refused where it is of something else', () => {
      const { learner, train } = setUp(which);
      train(0, 3);
      if (tidy(() => learner.state().size) > 0) expect(() => learner.load(new Map())).toThrow(Error);
    });
  });
});

const SEMI_SUPERVISED = cases.filter(wantsUnlabeled);

describe('the loss of unlabeled images', () => {
  it.each(SEMI_SUPERVISED)('is not zero on an untrained network: $title', (which) => {
    const steps = look(setUp(which));
    const metrics = consistency(steps[0]).map(([metric]) => metric);
    expect(metrics.length).toBeGreaterThan(0);
    for (const metric of metrics) {
      expect(Math.max(...steps.map((values) => values[metric])), metric).toBeGreaterThan(1e-4);
    }
    expect(steps.some(({ loss, lossClf }) => Math.abs(loss - lossClf) > 1e-4)).toBe(true);
  });

  it.each(SEMI_SUPERVISED)('has no part in the loss where its weights are zero: $title', (which) => {
    const isWeight = (option: string) => /Weight$|^lambda/.test(option);
    const zeros = (options: object) =>
      Object.fromEntries(Object.keys(options).flatMap((option) => (isWeight(option) ? [[option, 0]] : [])));
    const { augmentation } = optionsOf(which) as { augmentation?: object | null };
    const changes = {
      ...zeros(algorithmOf(which.name).options.shape),
      ...(augmentation ? { augmentation: { ...augmentation, ...zeros(augmentation) } } : {}),
    };
    for (const { loss, lossClf } of look(setUp(which, {}, changes))) expect(loss).toBeCloseTo(lossClf, 6);
  });

  const thresholded = SEMI_SUPERVISED.filter(
    ({ name }) => has(name, 'threshold') && name !== 'flexmatch', // whose thresholds start at 0, and rise with what is sure
  );
  it.each(thresholded)('is zero where no label is sure enough: $title', (which) => {
    for (const metrics of look(setUp(which, {}, { threshold: 1 }))) {
      expect(consistency(metrics).map(([, value]) => value)).toEqual(consistency(metrics).map(() => 0));
    }
  });

  const ramped = SEMI_SUPERVISED.filter(({ name }) => has(name, 'rampShare'));
  it.each(ramped)('grows over the share of training that is asked for: $title', (which) => {
    const losses = (changes: Settings) =>
      look(setUp(which, { steps: 10 }, changes), 7).map(({ loss }) => loss);
    const without = losses({ unlabeledWeight: 0, strongWeight: 0 });
    const all = losses({ rampShare: 0 });
    const half = losses({ rampShare: 0.5 });
    const share = (step: number) => (half[step] - without[step]) / (all[step] - without[step]);
    expect(share(2)).toBeGreaterThan(0.1);
    expect(share(2)).toBeLessThan(0.5);
    expect(share(5)).toBeCloseTo(1, 6);
    expect(share(6)).toBeCloseTo(1, 6);
  });
});

describe('on real batches', () => {
  /** Fewer labeled images than a batch has. */
  const experimentOf = (name: Name, ...sets: string[]): Experiment =>
    prepareExperiment(
      toyConfig(`algorithm.name=${name}`, 'data.labels=3', 'batch.unlabeled=4', 'ema.decay=0.5', ...sets),
      stripesPair(),
    );

  /** The metrics of some steps. */
  async function train(experiment: Experiment, steps: number) {
    const { config, data, split, normalization } = experiment;
    const learning = new Learning(config, {
      classes: data.train.classes.length,
      channels: data.train.channels,
      labelDistribution: labelDistribution(experiment),
      unlabeledImages: split.unlabeled.length,
      labeledImages: () => labeledImages(experiment),
    });
    const loader = createTrainingLoader(experiment, 0);
    const layout = {
      ...learning.algorithm.views(config.algorithm),
      places: placesOf(split.unlabeled, data.train.count),
    };
    const metrics = [];
    for (let step = 0; step < steps; step++) {
      const batch = await loader.next();
      const images = (pixels: Uint8Array) => toImages(pixels, data.train, normalization);
      metrics.push(tidy(() => learning.step(toBatch(batch, layout, images), step)).metrics);
      batch.release();
    }
    await loader.close();
    return metrics;
  }

  it.each(Object.keys(algorithms) as Name[])('%s cannot see the labels of unlabeled images', async (name) => {
    const experiment = experimentOf(name);
    const { train: images } = experiment.data;
    const labels = images.labels.map((label) => (label + 1) % 3);
    for (const index of experiment.split.labeled) labels[index] = images.labels[index];
    const relabeled = {
      ...experiment,
      data: { ...experiment.data, train: { ...images, labels }, test: { ...images, labels } },
    };
    const metrics = await train(experiment, 3);
    expect(metrics.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(await train(relabeled, 3)).toEqual(metrics);
  });

  it.each(Object.keys(algorithms) as Name[])(
    '%s is refused where a class has no labeled image, with what to do',
    (name) => {
      expect(() => experimentOf(name, 'data.labels=2')).toThrow(InputError);
      expect(() => experimentOf(name, 'data.labels=2')).toThrow(
        /^class (left|middle|right) has no labeled image to learn from: 2 images are labeled, and at least one for each/,
      );
    },
  );
});
