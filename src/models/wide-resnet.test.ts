import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Conv2d, Linear, type Module } from '../nn/index.js';
import {
  Generator,
  noGrad,
  normal,
  setConvolutionAlgorithm,
  setThreads,
  type Tensor,
  zeros,
} from '../tensor/index.js';
import { createEncoder } from './index.js';
import { WideResNet, type WideResNetOptions } from './wide-resnet.js';

beforeAll(() => setThreads(1));

afterEach(() => {
  vi.restoreAllMocks();
  setConvolutionAlgorithm('winograd');
});

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
    setConvolutionAlgorithm('direct'); // Winograd's way skips the spy
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
