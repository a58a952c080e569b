/**
 * Every module has a check of its gradients in double precision: here, for the networks whole, or beside its source.
 * Those of operators are enumerated in src/tensor/gradients.test.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectNumbers, irregular } from '../../test/support/tensors.js';
import * as losses from '../nn/losses.js';
import { Generator, gradients, noGrad, setThreads, type Tensor, tidy } from '../tensor/index.js';
import { Cnn13 } from './cnn13.js';
import type { Encoder } from './index.js';
import { ResNet18 } from './resnet18.js';
import { WideResNet } from './wide-resnet.js';

beforeAll(() => setThreads(1));

const SOURCES = new URL('../', import.meta.url).pathname;
const options = {
  channels: 2,
  batchNormMomentum: 0.1,
  generator: new Generator(1),
  dtype: 'float64',
} as const;

/** Networks, and the shape of images for them; with them their blocks are checked, which nothing else uses. */
const networks: Record<string, { build: () => Encoder; images: number[]; blocks: string[] }> = {
  'wide-resnet.ts WideResNet': {
    build: () =>
      new WideResNet({ ...options, depth: 16, width: 1, strides: [1, 2, 2], preActivation: 'full' }),
    images: [3, 2, 8, 8],
    blocks: ['wide-resnet.ts Block', 'wide-resnet.ts Group'],
  },
  'wide-resnet.ts WideResNet, as published': {
    build: () =>
      new WideResNet({ ...options, depth: 10, width: 2, strides: [1, 2, 2], preActivation: 'first-only' }),
    images: [3, 2, 8, 8],
    blocks: [],
  },
  'cnn13.ts Cnn13': {
    build: () => new Cnn13(options),
    images: [3, 2, 12, 12],
    blocks: ['cnn13.ts Group'],
  },
  'resnet18.ts ResNet18': {
    build: () => new ResNet18(options),
    images: [3, 2, 32, 32],
    blocks: ['resnet18.ts BasicBlock'],
  },
};

/** Modules and losses whose gradients are checked beside their sources. */
const besideTheirSources: Record<string, readonly string[]> = {
  'src/nn/layers.test.ts': [
    'layers.ts Conv2d',
    'layers.ts BatchNorm2d',
    'layers.ts Linear',
    'layers.ts Dropout',
  ],
  'src/ssl/featmatch/feature-augmentation.test.ts': ['feature-augmentation.ts FeatureAugmentation'],
};

/** Nothing but parts that are checked, one after another. */
const compositions = ['network.ts FeatMatchNetwork', 'classifier-network.ts ClassifierNetwork'];

describe('gradients of modules', () => {
  it('are checked for every module that there is', () => {
    const known = [
      ...Object.entries(networks).flatMap(([name, { blocks }]) => [name.split(',')[0], ...blocks]),
      ...Object.values(besideTheirSources).flat(),
      ...compositions,
    ];
    expect([...new Set(known)].sort()).toEqual(modulesOf(SOURCES).sort());
  });

  it('are checked for every loss', () => {
    const tests = readFileSync(join(SOURCES, 'nn/losses.test.ts'), 'utf8');
    const checked = [...tests.matchAll(/checkGradients\(\(rows\) => (\w+)\(/g)].map(([, name]) => name);
    expect(checked.sort()).toEqual(Object.keys(losses).sort());
  });

  it.each(Object.keys(besideTheirSources))('are checked in %s', (file) => {
    const tests = readFileSync(join(SOURCES, '..', file), 'utf8');
    expect(tests.match(/checkGradients\(/g)?.length).toBeGreaterThanOrEqual(besideTheirSources[file].length);
  });

  it.each(Object.entries(networks))('of %s equal central differences', (_, { build, images }) => {
    const network = build();
    const input = irregular(images);
    input.requiresGrad = true;
    const output = () =>
      tidy(() => {
        const features = network.forward(input);
        return features.mul(irregular(features.shape, 5)).sum();
      });
    expectDerivative(output, [input]);
    expectDerivative(output, network.parameters());
    network.dispose();
  });
});

/** The derivative in a direction of length 1 in which all the tensors change, each element by another amount. */
function expectDerivative(output: () => Tensor, tensors: readonly Tensor[]): void {
  const step = 1e-5;
  tidy(() => {
    const directions = tensors.map(({ shape }, i) => irregular(shape, i + 1));
    const length = Math.sqrt(directions.reduce((sum, direction) => sum + direction.pow(2).sum().item(), 0));
    const slope = gradients([output()], tensors).reduce(
      // a batch normalization that the published network does not use has no gradient
      (sum, gradient, i) => sum + (gradient?.mul(directions[i]).sum().item() ?? 0) / length,
      0,
    );
    const move = (distance: number) =>
      noGrad(() => {
        tensors.forEach((tensor, i) => {
          tensor.addInPlace(directions[i].mul(distance / length));
        });
      });
    const at = (distance: number) => {
      move(distance);
      const value = noGrad(() => output().item());
      move(-distance);
      return value;
    };
    const difference = (at(step) - at(-step)) / (2 * step);
    expectNumbers([slope], [difference], { tolerance: 1e-5, what: 'the slope' });
  });
}

/** "file class" of every class below a folder that extends Module. */
function modulesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/class (\w+) extends Module\b/g)].map(
        ([, name]) => `${file.slice(file.lastIndexOf('/') + 1)} ${name}`,
      ),
    );
}
