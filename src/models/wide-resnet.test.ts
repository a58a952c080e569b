import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  expectParity,
  expectRelative,
  fillParameter,
  GRADIENT_TOLERANCE,
  type ParameterFill,
  type ParityParameter,
  parityFiles,
  parityJson,
  parityTensors,
} from '../../test/support/parity.js';
import { Conv2d, Linear, type Module } from '../nn/index.js';
import {
  Generator,
  type MemoryFormat,
  noGrad,
  normal,
  setThreads,
  type Tensor,
  tidy,
  zeros,
} from '../tensor/index.js';
import { createEncoder } from './index.js';
import { WideResNet, type WideResNetOptions } from './wide-resnet.js';

beforeAll(() => setThreads(1));

afterEach(() => void vi.restoreAllMocks());

function haveSameWeights(one: Module, other: Module): boolean {
  const others = other.namedTensors();
  return [...one.namedTensors()].every(([name, tensor]) => tensor.equals(others.get(name) as Tensor));
}

const parameterCount = (parameters: readonly Tensor[]) => parameters.reduce((sum, { size }) => sum + size, 0);

function wideResNet(options: Partial<WideResNetOptions> = {}): WideResNet {
  return new WideResNet({
    channels: 3,
    depth: 10,
    width: 1,
    strides: [1, 2, 2],
    batchNormMomentum: 0.1,
    preActivation: 'full',
    generator: new Generator(1),
    ...options,
  });
}

describe('a wide residual network', () => {
  it('turns images of any size into features of 64 times the width', () => {
    const network = wideResNet({ width: 2, channels: 1 });
    const images = normal([2, 1, 13, 9], 0, 1, { generator: new Generator(2) });
    const features = noGrad(() => network.forward(images));
    expect(features.shape).toEqual([2, 128]);
    expect(network.featureDimension).toBe(128);
    expect(features.numbers().every((feature) => feature >= 0)).toBe(true);
  });

  it('has the 1.47 million parameters of WRN-28-2, with a classifier of ten classes', () => {
    // 1,466,320 without the classifier, as the published code counts; 128·10 + 10 in the classifier
    const network = wideResNet({ depth: 28, width: 2 });
    const classifier = new Linear(network.featureDimension, 10, { generator: new Generator(1) });
    expect(parameterCount(network.parameters())).toBe(1_466_320);
    expect(parameterCount([...network.parameters(), ...classifier.parameters()])).toBe(1_467_610);
  });

  it('names its parts as the published code does', () => {
    expect([...wideResNet().namedTensors().keys()].slice(0, 14)).toEqual([
      'model.0.weight',
      'model.1.layer.0.bn1.weight',
      'model.1.layer.0.bn1.bias',
      'model.1.layer.0.bn1.running_mean',
      'model.1.layer.0.bn1.running_var',
      'model.1.layer.0.conv1.weight',
      'model.1.layer.0.bn2.weight',
      'model.1.layer.0.bn2.bias',
      'model.1.layer.0.bn2.running_mean',
      'model.1.layer.0.bn2.running_var',
      'model.1.layer.0.conv2.weight',
      'model.2.layer.0.bn1.weight',
      'model.2.layer.0.bn1.bias',
      'model.2.layer.0.bn1.running_mean',
    ]);
  });

  it('has (depth − 4) / 6 blocks in each of three groups', () => {
    const blocks = (depth: number) =>
      [...wideResNet({ depth }).namedTensors().keys()].filter((name) => name.endsWith('conv1.weight'));
    expect(blocks(10).length).toBe(3);
    expect(blocks(16)).toEqual(
      [1, 2, 3].flatMap((group) => [0, 1].map((block) => `model.${group}.layer.${block}.conv1.weight`)),
    );
  });

  it.each([4, 9, 12, 27, 10.5, -2])('refuses the depth %d', (depth) => {
    expect(() => wideResNet({ depth })).toThrow(
      `the depth of a wide residual network is 10, 16, 22, 28, … (6n + 4), not ${depth}`,
    );
  });

  it('has a shortcut convolution where a block changes width or resolution, and only there', () => {
    const shortcuts = (options: Partial<WideResNetOptions>) =>
      [...wideResNet({ depth: 16, ...options }).namedParameters()]
        .filter(([name]) => name.includes('Shortcut'))
        .map(([name, { shape }]) => `${name} ${shape}`);
    const widening = [
      'model.2.layer.0.convShortcut.weight 32,16,1,1',
      'model.3.layer.0.convShortcut.weight 64,32,1,1',
    ];
    expect(shortcuts({})).toEqual(widening);
    expect(shortcuts({ strides: [2, 2, 2] })).toEqual([
      'model.1.layer.0.convShortcut.weight 16,16,1,1',
      ...widening,
    ]);
  });

  it.each([
    { strides: [1, 2, 2], sides: [12, 12, 12, 6, 6, 6, 3, 3, 3] },
    { strides: [2, 2, 2], sides: [12, 6, 6, 6, 3, 3, 3, 2, 2, 2] },
    { strides: [1, 1, 3], sides: [12, 12, 12, 12, 12, 12, 4, 4, 4] },
  ])('with the strides $strides makes maps of 12×12 pixels smaller', ({ strides, sides }) => {
    const found: number[] = [];
    const { forward } = Conv2d.prototype;
    vi.spyOn(Conv2d.prototype, 'forward').mockImplementation(function (this: Conv2d, input: Tensor) {
      const maps = forward.call(this, input);
      found.push(maps.shape[2]);
      return maps;
    });
    noGrad(() => wideResNet({ strides }).forward(zeros([1, 3, 12, 12])));
    expect(found).toEqual(sides);
  });

  it('draws the same weights from the same seed', () => {
    const network = (seed: number) => wideResNet({ generator: new Generator(seed) });
    expect(haveSameWeights(network(5), network(5))).toBe(true);
    expect(haveSameWeights(network(5), network(6))).toBe(false);
  });

  it('is what createEncoder makes of the options of a model', () => {
    const encoder = createEncoder(
      {
        name: 'wide-resnet',
        depth: 16,
        width: 2,
        strides: [2, 2, 2],
        batchNormMomentum: 0.1,
        preActivation: 'full',
      },
      { channels: 1, generator: new Generator(1) },
    );
    const expected = wideResNet({ depth: 16, width: 2, strides: [2, 2, 2], channels: 1 });
    expect(encoder.featureDimension).toBe(128);
    expect(haveSameWeights(encoder, expected)).toBe(true);
  });
});

interface BackboneParity {
  readonly parameter_fill: ParameterFill;
  readonly input_shape: readonly number[];
  readonly feature_dim: number;
  readonly num_parameters: number;
  readonly parameters: readonly (ParityParameter & { readonly grad_ramp_dot: number | null })[];
}

const NETWORKS = parityFiles(/^backbone_wresnet-\d+-\d+\.json$/);
const FORMATS: MemoryFormat[] = ['contiguous', 'channels-last'];

describe.each(NETWORKS)('the published network of %s', (file) => {
  const parity = parityJson<BackboneParity>(file);
  const [, architecture, depth, width] = /backbone_(wresnet-(\d+)-(\d+))\.json/.exec(file) as string[];
  const stored = parityTensors('backbones.safetensors');
  const build = () =>
    wideResNet({
      channels: parity.input_shape[1],
      depth: Number(depth),
      width: Number(width),
      batchNormMomentum: 0.001,
      preActivation: 'first-only',
    });

  it('has the same parameters, in the same order', () => {
    const network = build();
    const own = [...network.namedParameters()].map(([name, { shape }]) => ({ name, shape }));
    expect(own).toEqual(parity.parameters.map(({ name, shape }) => ({ name: `model.${name}`, shape })));
    expect(parameterCount(network.parameters())).toBe(parity.num_parameters);
    expect(network.featureDimension).toBe(parity.feature_dim);
  });

  it.each(FORMATS)('gives the same features and gradients, %s', (format) => {
    tidy(() => {
      const network = build();
      const own = network.namedParameters();
      noGrad(() => {
        for (const parameter of parity.parameters) {
          (own.get(`model.${parameter.name}`) as Tensor).copyInPlace(
            fillParameter(parameter, parity.parameter_fill),
          );
        }
      });
      const images = stored(`${architecture}.input`).contiguous(format);
      const features = network.forward(images);
      expectParity(features, stored(`${architecture}.train_features`));

      features
        .mul(stored(`${architecture}.loss_weights`))
        .sum()
        .backward();
      for (const { name, grad_l2, grad_ramp_dot } of parity.parameters) {
        const gradient = own.get(`model.${name}`)?.grad ?? null;
        if (grad_l2 === null || grad_ramp_dot === null) {
          expect(gradient, `the gradient of ${name}`).toBeNull();
          continue;
        }
        const derivatives = gradient?.numbers() ?? [];
        expectRelative(euclideanNorm(derivatives), grad_l2, GRADIENT_TOLERANCE);
        expectRelative(rampDot(derivatives), grad_ramp_dot, GRADIENT_TOLERANCE, grad_l2);
      }

      // The pass above has moved the running statistics once.
      network.train(false);
      expectParity(network.forward(images), stored(`${architecture}.eval_features`));
    });
  });
});

function euclideanNorm(numbers: readonly number[]): number {
  return Math.sqrt(numbers.reduce((sum, number) => sum + number * number, 0));
}

/** Σ derivative · ramp, a ramp from −1 to 1 over all derivatives: tells permutations apart, which a norm does not. */
function rampDot(derivatives: readonly number[]): number {
  return derivatives.reduce(
    (sum, derivative, i) => sum + derivative * (-1 + (2 * i) / (derivatives.length - 1)),
    0,
  );
}
