import { beforeAll, describe, expect, it } from 'vitest';
import { expectNumbers } from '../../test/support/tensors.js';
import { viewsOf } from '../../test/support/toy.js';
import { supervisedConfig, toyConfig } from '../../test/support/toy-images.js';
import type { Config } from '../config/index.js';
import type { Module } from '../nn/index.js';
import type { Batch, EncoderNetwork } from '../ssl/index.js';
import {
  arange,
  Generator,
  keep,
  liveTensors,
  normal,
  setThreads,
  type Tensor,
  tensor,
  tidy,
} from '../tensor/index.js';
import { Learning } from './learning.js';

beforeAll(() => setThreads(1));

const noise = (count: number, seed: number) =>
  normal([count, 1, 12, 12], 0, 1, { generator: new Generator(seed) }).contiguous('channels-last');

const learningOf = (config: Config) =>
  new Learning(config, {
    classes: 3,
    channels: 1,
    labelDistribution: [1 / 3, 1 / 3, 1 / 3],
    unlabeledImages: 10,
    labeledImages: () => [{ images: noise(6, 7), labels: Int32Array.of(0, 1, 2, 0, 1, 2) }],
  });

/** To be used inside `tidy`. */
function batchOf(step: number): Batch {
  const seed = 100 * (step + 1);
  return {
    labels: tensor(Int32Array.of(0, 1, 2)).to('int64'),
    labeled: viewsOf(3, noise(0, 1), noise(3, seed)),
    unlabeled: viewsOf(4, noise(4, seed + 1), noise(4, seed + 2)),
    unlabeledIndices: arange(4),
  };
}

const steps = (learning: Learning, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => tidy(() => learning.step(batchOf(from + i), from + i)).metrics);

type Tensors = ReadonlyMap<string, Tensor>;

const copyOf = (tensors: Tensors): Tensors =>
  new Map([...tensors].map(([name, value]) => [name, keep(value.detach().clone())] as const));

const weightsOf = (module: Module): Tensors => copyOf(module.namedTensors());

const areEqual = (some: Tensors, others: Tensors) =>
  some.size === others.size && [...some].every(([name, value]) => value.equals(others.get(name) as Tensor));
const featmatchConfig = (...sets: string[]) => toyConfig('batch.unlabeled=4', ...sets);

describe('learning', () => {
  it('starts from weights that the seed determines', () => {
    const weights = (seed: number) => weightsOf(learningOf(toyConfig(`seed=${seed}`)).network);
    expect(areEqual(weights(3), weights(3))).toBe(true);
    expect(areEqual(weights(3), weights(4))).toBe(false);
  });

  it('starts with an average that is the network, in evaluation mode and without gradients', () => {
    const { network, average, evaluated } = learningOf(toyConfig());
    expect(areEqual(weightsOf(average as Module), weightsOf(network))).toBe(true);
    expect(average?.training).toBe(false);
    expect(average?.namedParameters().size).toBe(0);
    expect(network.training).toBe(true);
    expect(evaluated).toBe(average);
  });

  it('has no average where its decay is 0, and evaluates the network then', () => {
    const { network, average, evaluated } = learningOf(supervisedConfig('ema.decay=0'));
    expect(average).toBeNull();
    expect(evaluated).toBe(network);
  });

  it('returns the metrics of a step as numbers, and changes the network', () => {
    const learning = learningOf(featmatchConfig());
    const before = weightsOf(learning.network);
    const [metrics] = steps(learning, 0, 1);
    expect(Object.keys(metrics)).toEqual(expect.arrayContaining(['loss', 'lossClf', 'lossConG', 'lossConF']));
    expect(Object.values(metrics).every(Number.isFinite)).toBe(true);
    expect(areEqual(weightsOf(learning.network), before)).toBe(false);
  });

  it('moves the average after the network, faster at first: α = min(decay, 1 − 1/(t + 2))', () => {
    const learning = learningOf(featmatchConfig('ema.decay=0.6'));
    const name = 'classifier.weight';
    const average = () => learning.average?.namedTensors().get(name)?.numbers() ?? [];
    const network = () => learning.network.namedTensors().get(name)?.numbers() ?? [];
    for (const [step, decay] of [1 / 2, 0.6, 0.6].entries()) {
      const before = average();
      steps(learning, step, step + 1);
      const expected = network().map((weight, i) => decay * before[i] + (1 - decay) * weight);
      expectNumbers(average(), expected, { tolerance: 1e-6 });
    }
  });

  it('sets the learning rate of its schedule before each step', () => {
    // the linear schedule is 0 at the end: the step after the last changes nothing
    const learning = learningOf(supervisedConfig('optimizer.schedule=linear', 'steps=5'));
    const before = copyOf(learning.network.namedParameters());
    steps(learning, 5, 6);
    expect(areEqual(learning.network.namedParameters(), before)).toBe(true);
    steps(learning, 4, 5);
    expect(areEqual(learning.network.namedParameters(), before)).toBe(false);
  });

  it('forgets gradients between steps', () => {
    const learning = learningOf(featmatchConfig());
    steps(learning, 0, 2);
    expect(learning.network.parameters().every(({ grad }) => grad === null)).toBe(true);
  });

  it.each([
    ['featmatch', featmatchConfig()],
    ['supervised', supervisedConfig()],
  ])('keeps no tensors from step to step: %s', (_, config) => {
    const learning = learningOf(config);
    const live = Array.from({ length: 9 }, (_, step) => {
      steps(learning, step, step + 1);
      return liveTensors();
    });
    expect(live.slice(2)).toEqual(Array<number>(7).fill(live[1]));
  });
});

describe('predicting', () => {
  it('gives the probabilities of the average, and changes nothing', () => {
    const learning = learningOf(featmatchConfig());
    steps(learning, 0, 4);
    const before = weightsOf(learning.network);
    const images = noise(5, 3);
    const probabilities = learning.predict(images);
    expect(probabilities.requiresGrad).toBe(false);
    expectNumbers(probabilities.sum([1]).numbers(), [1, 1, 1, 1, 1]);
    expect(learning.predict(images).equals(probabilities)).toBe(true);
    expect(probabilities.equals(learning.learner.predict(learning.average as EncoderNetwork, images))).toBe(
      true,
    );
    expect(areEqual(weightsOf(learning.network), before)).toBe(true);
    expect(learning.network.training).toBe(true);
  });

  it('puts the network back into training mode where there is no average, whatever happens', () => {
    const learning = learningOf(supervisedConfig());
    const statistics = weightsOf(learning.network);
    learning.predict(noise(5, 3));
    expect(learning.network.training).toBe(true);
    expect(areEqual(weightsOf(learning.network), statistics)).toBe(true); // evaluation mode: running statistics stay
    expect(() => learning.predict(noise(5, 3).narrow(2, 0, 1).reshape(5, 12))).toThrow();
    expect(learning.network.training).toBe(true);
  });
});

describe('the state of learning', () => {
  it('has a part for each thing that learns', () => {
    const learning = learningOf(featmatchConfig());
    const parts = [...tidy(() => new Set([...learning.state().keys()].map((name) => name.split('.')[0])))];
    expect(parts).toEqual(['network', 'average', 'learner', 'optimizer', 'generator']);
  });

  it.each([
    ['featmatch before the first prototypes', featmatchConfig(), 2],
    ['featmatch with prototypes', featmatchConfig(), 5],
    ['featmatch right before an extraction', featmatchConfig(), 7],
    ['featmatch without an average', featmatchConfig('ema.decay=0', 'algorithm.pseudoLabels=no-grad'), 5],
    [
      'featmatch with everything',
      featmatchConfig('algorithm.adaptiveThreshold=true', 'algorithm.distributionAlignment=true'),
      5,
    ],
    ['supervised', supervisedConfig(), 3],
  ])('is all that is needed to continue bit for bit: %s', (_, config, done) => {
    const learning = learningOf(config);
    steps(learning, 0, done);
    const state = tidy(() => copyOf(learning.state()));
    const other = learningOf({ ...config, seed: config.seed + 1 });
    other.load(state);
    expect(steps(other, done, done + 5)).toEqual(steps(learning, done, done + 5));
    expect(areEqual(weightsOf(other.network), weightsOf(learning.network))).toBe(true);
    expect(other.predict(noise(4, 3)).equals(learning.predict(noise(4, 3)))).toBe(true);
  });

  it('is refused where it is of another network', () => {
    const state = copyOf(learningOf(featmatchConfig()).state());
    expect(() => learningOf(featmatchConfig('model.width=2')).load(state)).toThrow(
      /these weights are not of this network: .*encoder\.model\.1.*has shape/,
    );
    expect(() => learningOf(supervisedConfig()).load(state)).toThrow(/augmentation.* is unexpected/);
  });
});
