import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { viewsOf } from '../../test/support/toy.js';
import { supervisedConfig, toyConfig } from '../../test/support/toy-images.js';
import type { Config } from '../config/index.js';
import { InputError } from '../errors.js';
import { readCheckpointFile, writeCheckpointFile } from '../runs/index.js';
import type { Batch } from '../ssl/index.js';
import { arange, Generator, liveTensors, noGrad, normal, setThreads, tensor, tidy } from '../tensor/index.js';
import { loadModel, type ModelDescription, readCheckpoint, saveCheckpoint } from './checkpoint.js';
import { NotFiniteError } from './divergence.js';
import { Learning } from './learning.js';
import { TrainingState } from './state.js';
import type { Zca } from './zca.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-checkpoint-'));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(folder, { recursive: true }));

const noise = (count: number, seed: number) =>
  normal([count, 1, 12, 12], 0, 1, { generator: new Generator(seed) });

const learningOf = (config: Config) =>
  new Learning(config, {
    classes: 3,
    channels: 1,
    labelDistribution: [1 / 3, 1 / 3, 1 / 3],
    unlabeledImages: 10,
    labeledImages: () => [{ images: noise(6, 7), labels: Int32Array.of(0, 1, 2, 0, 1, 2) }],
  });

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

const contentsOf = (config: Config, step: number) => ({
  description: descriptionOf(config, step),
  state: new TrainingState().save({ metricsLength: 0, eventsLength: 0 }),
});

const descriptionOf = (config: Config, step: number): ModelDescription => ({
  config,
  step,
  classes: ['left', 'middle', 'right'],
  height: 12,
  width: 12,
  channels: 1,
  normalization: { mean: [100], standardDeviation: [50] },
  unlabeledImages: 10,
});

/** A file of a learning after some steps. */
function saved(name: string, config: Config, done: number) {
  const path = join(folder, name);
  const learning = learningOf(config);
  steps(learning, 0, done);
  saveCheckpoint(path, learning, contentsOf(config, done));
  return { path, learning };
}

const featmatchConfig = toyConfig('batch.unlabeled=4');
const CASES = [
  ['featmatch, before there are prototypes', featmatchConfig, 2],
  ['featmatch, with prototypes', featmatchConfig, 5],
  ['supervised', supervisedConfig(), 2],
] as const;

describe('a checkpoint', () => {
  it.each(CASES)('predicts exactly as what was saved: %s', (name, config, done) => {
    const { path, learning } = saved(`predicts ${name}`, config, done);
    const model = loadModel(path);
    expect(model.description).toEqual(descriptionOf(config, done));
    const images = noise(5, 3);
    expect(model.learning.predict(images).equals(learning.predict(images))).toBe(true);
  });

  it('holds the matrix and the mean of ZCA, which come back as they were', () => {
    const path = join(folder, 'zca');
    const zca = { mean: noise(1, 1).flatten(), matrix: noise(144, 2).reshape(144, 144) };
    const description = { ...descriptionOf(supervisedConfig(), 0), normalization: zca };
    const contents = { ...contentsOf(supervisedConfig(), 0), description };
    saveCheckpoint(path, learningOf(supervisedConfig()), contents);
    const { normalization } = loadModel(path).description as { normalization: Zca };
    expect(normalization.mean.equals(zca.mean)).toBe(true);
    expect(normalization.matrix.equals(zca.matrix)).toBe(true);
    expect(readCheckpointFile(path).metadata.featmatch).toContain('"normalization":"zca"');
  });

  it.each(CASES)('continues exactly where it was saved: %s', (name, config, done) => {
    const { path, learning } = saved(`continues ${name}`, config, done);
    const other = learningOf(config);
    steps(other, 0, 3); // it learned something else before
    readCheckpoint(path).restore(other);
    expect(steps(other, done, done + 4)).toEqual(steps(learning, done, done + 4));
  });

  it('brings back where training stands, every number exact', () => {
    const path = join(folder, 'state');
    const state = new TrainingState();
    state.step = 7;
    state.images = 210;
    state.stopwatch.seconds = 0.1 + 0.2;
    state.means.add({ loss: 1 / 3, lossCon: Number.NaN, confidence: Number.NEGATIVE_INFINITY });
    state.means.add({ loss: 1e-300, lossCon: 1, confidence: 1 });
    state.measurements.push({ step: 6, testAccuracy: null, validationAccuracy: 2 / 3 });
    state.confidences.add(Float32Array.of(0.1, 1));
    const lengths = { metricsLength: 99, eventsLength: 7 };
    const contents = { ...contentsOf(featmatchConfig, 7), state: state.save(lengths) };
    saveCheckpoint(path, learningOf(featmatchConfig), contents);
    const saved = readCheckpoint(path).state;
    const again = new TrainingState(saved);
    expect(saved).toMatchObject(lengths);
    expect(again).toEqual(state);
    expect(again.means.take()).toEqual({
      loss: (1 / 3 + 1e-300) / 2,
      lossCon: Number.NaN,
      confidence: Number.NEGATIVE_INFINITY,
    });
  });

  it('is not written of weights that are no finite numbers', () => {
    const path = join(folder, 'infinite');
    const learning = learningOf(featmatchConfig);
    const [weight] = learning.network.parameters();
    noGrad(() => weight.mulInPlace(Number.POSITIVE_INFINITY));
    expect(() => saveCheckpoint(path, learning, contentsOf(featmatchConfig, 1))).toThrow(NotFiniteError);
    expect(existsSync(path)).toBe(false);
  });

  it('names its tensors by what they belong to, the weights as PyTorch does', () => {
    const { path } = saved('names', featmatchConfig, 5);
    const names = [...readCheckpointFile(path).tensors.keys()];
    expect(names).toEqual(
      expect.arrayContaining([
        'network.encoder.model.0.weight',
        'average.encoder.model.1.layer.0.bn1.running_mean',
        'network.augmentation.phi_e.0.weight',
        'network.classifier.bias',
        'learner.prototypes',
        'learner.prototypeLabels',
        'optimizer.classifier.weight',
        'generator.learner',
      ]),
    );
  });

  it('leaves no tensors behind when it is written', () => {
    const learning = learningOf(featmatchConfig);
    steps(learning, 0, 5);
    const before = liveTensors();
    saveCheckpoint(join(folder, 'tensors'), learning, contentsOf(featmatchConfig, 5));
    expect(liveTensors()).toBe(before);
  });
});

/** What a call is refused with. */
function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  }
  throw new Error('it was accepted');
}

describe('a file that is no checkpoint of this', () => {
  it('is refused where it holds tensors alone', () => {
    const path = join(folder, 'bare.safetensors');
    writeCheckpointFile(path, new Map([['x', { dtype: 'F32', shape: [1], data: Float32Array.of(1) }]]));
    expect(refusal(() => loadModel(path))).toBe(
      `${path} holds tensors but no description of a model: it is not a checkpoint of featmatch`,
    );
  });

  it('is refused where it is missing', () => {
    const path = join(folder, 'missing.safetensors');
    expect(refusal(() => loadModel(path))).toContain(path);
  });

  it('is refused where it is of another configuration, and every difference is named', () => {
    const { path } = saved('other network', featmatchConfig, 1);
    const wider = learningOf(toyConfig('batch.unlabeled=4', 'model.width=2', 'seed=3'));
    const message = refusal(() => readCheckpoint(path).restore(wider));
    expect(message).toBe(
      `${path} is of another configuration: seed: 3 here, 1 there; model.width: 2 here, 1 there`,
    );
  });

  it('is refused where its description has a setting that does not exist', () => {
    const path = join(folder, 'newer');
    const config = { ...featmatchConfig, flux: 1 } as Config;
    saveCheckpoint(path, learningOf(featmatchConfig), contentsOf(config, 0));
    expect(refusal(() => loadModel(path))).toContain('flux');
  });
});
