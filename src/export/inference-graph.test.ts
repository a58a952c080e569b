import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createEncoder, type ModelOptions } from '../models/index.js';
import type { Module } from '../nn/index.js';
import type { FeatureAugmentation } from '../ssl/featmatch/feature-augmentation.js';
import { FeatMatchNetwork } from '../ssl/featmatch/network.js';
import { Generator, noGrad, stack, type Tensor, tensor, tidy, uniform } from '../tensor/index.js';
import { type Normalization as StandardNormalization, toImages } from '../train/pixels.js';
import type { Weight } from './graph.js';
import { buildInferenceGraph, type GraphOptions, type TrainedNetwork } from './inference-graph.js';
import { encodeModel, type Precision } from './onnx.js';

/** Models, and how many batch normalizations are left: those after an addition, which no convolution can take over. */
const MODELS: Record<string, { model: ModelOptions; batchNorms: number }> = {
  'a wide residual network': { model: wide({}), batchNorms: 3 },
  'one whose first blocks see the raw input, as published': {
    model: wide({ preActivation: 'first-only', strides: [1, 2, 2] }),
    batchNorms: 1,
  },
  'one of width 1, whose first block has no convolution on the shortcut': {
    model: wide({ width: 1, strides: [1, 2, 2] }),
    batchNorms: 4,
  },
  'one with two blocks a group': { model: wide({ depth: 16 }), batchNorms: 6 },
  'CNN-13': { model: { name: 'cnn-13', batchNormMomentum: 0.1 }, batchNorms: 0 },
  'ResNet-18': { model: { name: 'resnet-18', batchNormMomentum: 0.1 }, batchNorms: 0 },
};

function wide(changes: Partial<Extract<ModelOptions, { name: 'wide-resnet' }>>): ModelOptions {
  return {
    name: 'wide-resnet',
    depth: 10,
    width: 2,
    strides: [2, 2, 2],
    batchNormMomentum: 0.1,
    preActivation: 'full',
    ...changes,
  };
}

const CLASSES = 5;
const COUNT = 3;
const HEADS = 2;

/** Statistics and factors of batch normalization as training might leave them, not as it starts. */
function disturb(network: Module): void {
  const generator = new Generator(2);
  tidy(() =>
    noGrad(() => {
      for (const [name, value] of network.namedTensors()) {
        if (value.shape.length !== 1) continue;
        const isPositive = /running_var|(bn|norm).*weight/.test(name);
        value.copyInPlace(
          uniform(value.shape, isPositive ? 0.5 : -0.3, isPositive ? 1.5 : 0.3, { generator }),
        );
      }
    }),
  );
}

/** The network and what is exported of it. */
function build(model: ModelOptions, changes: { channels?: number; prototypes?: number } = {}) {
  const { channels = 1, prototypes: count } = changes;
  const generator = new Generator(1);
  const context = {
    createEncoder: () => createEncoder(model, { channels, generator }),
    classes: CLASSES,
    generator,
  };
  const attention = { heads: HEADS, scaleAttention: true, attentionDropout: 0.5 };
  const network = new FeatMatchNetwork(count === undefined ? null : attention, context);
  disturb(network);
  network.train(false);
  const dimension = network.encoder.featureDimension;
  const prototypes = uniform([count ?? 0, dimension], 0, 2, { generator });
  const trained: TrainedNetwork = {
    model,
    tensors: new Map([...network.namedTensors()].map(([name, value]) => [name, weightOf(value)])),
    normalization: { mean: Array(channels).fill(120.5), standardDeviation: Array(channels).fill(60) },
    size: { height: 32, width: 28, channels },
    augmentation:
      network.augmentation === null
        ? null
        : { prototypes: weightOf(prototypes), scale: network.augmentation.scale },
  };
  const pixels = Uint8Array.from({ length: COUNT * 32 * 28 * channels }, (_, i) => (i * 7919) % 256);
  return { network, prototypes, trained, pixels };
}

const weightOf = (value: Tensor): Weight => ({ shape: value.shape, data: value.data() as Float32Array });

async function run(
  { trained, pixels }: { trained: TrainedNetwork; pixels: Uint8Array },
  options: GraphOptions & { precision?: Precision } = {},
) {
  const { precision = 'float32' } = options;
  const file = encodeModel(buildInferenceGraph(trained, options), { precision, version: '0' });
  const session = await InferenceSession.create(file, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const { height, width, channels } = trained.size;
  const feeds = {
    pixels: new OnnxTensor('uint8', pixels, [
      pixels.length / (height * width * channels),
      height,
      width,
      channels,
    ]),
  };
  return { outputs: await session.run(feeds), bytes: file.byteLength };
}

const operatorsOf = (trained: TrainedNetwork) =>
  buildInferenceGraph(trained).nodes.map(({ operator }) => operator);

/** Within so much of the greatest number. */
function expectClose(actual: OnnxTensor, expected: Tensor, tolerance = 1e-5): void {
  expect(actual.dims).toEqual(expected.shape);
  const numbers = expected.numbers();
  const greatest = Math.max(...numbers.map(Math.abs));
  (actual.data as Float32Array).forEach((value, i) => {
    expect(Math.abs(value - numbers[i])).toBeLessThanOrEqual(tolerance * greatest);
  });
}

describe('the exported graph computes what the engine computes, of', () => {
  it.each(Object.entries(MODELS))('%s', async (_, { model, batchNorms }) => {
    const built = build(model, { channels: 3 });
    expect(operatorsOf(built.trained).filter((name) => name === 'BatchNormalization')).toHaveLength(
      batchNorms,
    );
    const { outputs } = await run(built);
    expect(Object.keys(outputs).sort()).toEqual(['features', 'probabilities']);
    noGrad(() =>
      tidy(() => {
        const images = toImages(
          built.pixels,
          built.trained.size,
          built.trained.normalization as StandardNormalization,
        );
        const features = built.network.encoder.forward(images);
        expectClose(outputs.features, features);
        expectClose(outputs.probabilities, built.network.classifier.forward(features).softmax(1));
      }),
    );
    built.network.dispose();
  });

  it('AugF, with its attention and the plain probabilities beside', async () => {
    const built = build(wide({}), { prototypes: 12 });
    const { network, prototypes } = built;
    const { outputs } = await run(built);
    noGrad(() =>
      tidy(() => {
        const images = toImages(
          built.pixels,
          built.trained.size,
          built.trained.normalization as StandardNormalization,
        );
        const features = network.encoder.forward(images);
        const { attention } = (network.augmentation as FeatureAugmentation).attend(features, prototypes);
        expectClose(outputs.probabilities, network.probabilities(features, prototypes));
        expectClose(outputs.plain_probabilities, network.classifier.forward(features).softmax(1));
        expectClose(outputs.attention, stack(attention, 1));
      }),
    );
  });

  it('ZCA whitening', async () => {
    const built = build(wide({}));
    const dimension = 32 * 28;
    const generator = new Generator(3);
    const mean = uniform([dimension], 0, 1, { generator });
    const matrix = uniform([dimension, dimension], -0.1, 0.1, { generator });
    const normalization = { mean: weightOf(mean), matrix: weightOf(matrix) };
    const { outputs } = await run({ ...built, trained: { ...built.trained, normalization } });
    noGrad(() =>
      tidy(() => {
        const rows = tensor(built.pixels, [COUNT, dimension]).to('float32').div(255);
        const images = rows.sub(mean).matmul(matrix).reshape(COUNT, 1, 32, 28);
        expectClose(outputs.features, built.network.encoder.forward(images));
      }),
    );
  });
});

describe('the exported graph', () => {
  it('takes any number of images and gives each what it gives it alone', async () => {
    const built = build(wide({}), { prototypes: 12 });
    const size = 32 * 28;
    const { outputs: together } = await run(built);
    for (let image = 0; image < COUNT; image++) {
      const { outputs } = await run({
        ...built,
        pixels: built.pixels.subarray(image * size, (image + 1) * size),
      });
      const expected = (together.probabilities.data as Float32Array).subarray(
        image * CLASSES,
        (image + 1) * CLASSES,
      );
      (outputs.probabilities.data as Float32Array).forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i], 6);
      });
    }
  });

  it('measures similarity as the cosine with the nearest reference', async () => {
    const built = build(wide({}));
    const { outputs: before } = await run(built);
    const rows = [0, 1, 2].map((i) => (before.features.data as Float32Array).slice(i * 128, (i + 1) * 128));
    const { outputs } = await run(built, { references: [rows[1].map((value) => 3 * value), rows[2]] });
    const cosine = (a: Float32Array, b: Float32Array) =>
      a.reduce((sum, value, i) => sum + value * b[i], 0) / Math.hypot(...a) / Math.hypot(...b);
    expect(outputs.similarity.dims).toEqual([COUNT]);
    const [first, second, third] = outputs.similarity.data as Float32Array;
    expect(first).toBeCloseTo(Math.max(cosine(rows[0], rows[1]), cosine(rows[0], rows[2])), 5);
    expect([second, third]).toEqual([expect.closeTo(1, 5), expect.closeTo(1, 5)]);
  });

  it.each([
    ['half', 0.51, 2e-3],
    ['int8', 0.28, 3e-2],
  ] as const)('is smaller and near with weights as %s', async (precision, share, tolerance) => {
    const built = build(wide({ depth: 16 }), { prototypes: 12 });
    const [exact, rounded] = [await run(built), await run(built, { precision })];
    expect(rounded.bytes).toBeLessThan(share * exact.bytes);
    const expected = exact.outputs.features.data as Float32Array;
    const greatest = Math.max(...expected);
    const actual = rounded.outputs.features.data as Float32Array;
    expect(Math.max(...actual.map((value, i) => Math.abs(value - expected[i])))).toBeLessThan(
      tolerance * greatest,
    );
    expect(actual).not.toEqual(expected);
  });
});
