import { beforeAll, describe, expect, it } from 'vitest';
import { expectNumbers, tensorOf } from '../../test/support/tensors.js';
import { full, Generator, liveTensors, noGrad, setThreads, type Tensor } from '../tensor/index.js';
import { BatchNorm2d, Conv2d } from './layers.js';
import { Module } from './module.js';
import { updateWeightAverage } from './weight-average.js';

beforeAll(() => setThreads(1));

class Network extends Module {
  readonly conv: Conv2d;
  readonly norm = new BatchNorm2d(2);

  constructor(value: number) {
    super();
    this.conv = new Conv2d(1, 2, { size: 1, generator: new Generator(1) });
    noGrad(() => {
      for (const tensor of this.namedTensors().values()) tensor.fillInPlace(value);
    });
  }
}

const valuesOf = (network: Network) => [...network.namedTensors().values()].map((t) => t.numbers()[0]);

describe('the average of the weights', () => {
  it('moves toward the source by 1 − α, running statistics included, and leaves the source as it is', () => {
    const average = new Network(1);
    const source = new Network(11);
    updateWeightAverage(average, source, 0.9);
    expectNumbers(valuesOf(average), Array<number>(5).fill(0.9 * 1 + 0.1 * 11));
    updateWeightAverage(average, source, 0.9);
    expectNumbers(valuesOf(average), Array<number>(5).fill(0.9 * 2 + 0.1 * 11));
    expect(valuesOf(source)).toEqual(Array<number>(5).fill(11));
  });

  it('matches tensors by name', () => {
    const average = new Network(0);
    const source = new Network(0);
    noGrad(() => source.norm.running_var.copyInPlace(tensorOf([4, 8])));
    updateWeightAverage(average, source, 0.5);
    expect(average.norm.running_var.numbers()).toEqual([2, 4]);
    expect(average.norm.running_mean.numbers()).toEqual([0, 0]);
  });

  it('is the source where nothing is remembered, and stays where everything is', () => {
    const average = new Network(1);
    updateWeightAverage(average, new Network(5), 1);
    expect(valuesOf(average)).toEqual([1, 1, 1, 1, 1]);
    updateWeightAverage(average, new Network(5), 0);
    expect(valuesOf(average)).toEqual([5, 5, 5, 5, 5]);
  });

  it('makes no tensors and records nothing for gradients', () => {
    const average = new Network(1);
    const source = new Network(2);
    const before = liveTensors();
    updateWeightAverage(average, source, 0.99);
    expect(liveTensors()).toBe(before);
    const weight: Tensor = average.conv.weight;
    weight.mul(full([], 3)).sum().backward();
    expect(weight.grad?.numbers()).toEqual([3, 3]);
    expect(source.conv.weight.grad).toBeNull();
  });
});
