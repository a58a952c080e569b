import { beforeAll, describe, expect, it } from 'vitest';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { keep, ones, setThreads, type Tensor, tidy, zeros } from '../tensor/index.js';
import { parameter } from './initialize.js';
import { Module } from './module.js';

beforeAll(() => setThreads(1));

class Leaf extends Module {
  readonly second: Tensor;
  readonly first: Tensor;
  readonly steps: Tensor; // a buffer
  readonly absent: Tensor | null = null;
  readonly factor = 3;

  constructor(value = 0) {
    super();
    this.second = parameter(tensorOf([value, value + 1]));
    this.first = parameter(tensorOf([[value + 2]]));
    this.steps = keep(tensorOf([value + 3]));
  }
}

class Tree extends Module {
  readonly left: Leaf;
  readonly layer: readonly (Leaf | null)[];
  readonly scale: Tensor;

  constructor(value = 0) {
    super();
    this.left = new Leaf(value);
    this.layer = [new Leaf(value + 10), null, new Leaf(value + 20)];
    this.scale = parameter(tensorOf([value + 30]));
  }
}

const numbersOf = (module: Module) =>
  [...module.namedTensors()].map(([name, tensor]) => [name, tensor.numbers()] as const);

describe('the tensors of a module', () => {
  it('are named by the paths of their properties: its own first, then those of its parts, as they were assigned', () => {
    expect(numbersOf(new Tree())).toEqual([
      ['scale', [30]],
      ['left.second', [0, 1]],
      ['left.first', [2]],
      ['left.steps', [3]],
      ['layer.0.second', [10, 11]],
      ['layer.0.first', [12]],
      ['layer.0.steps', [13]],
      ['layer.2.second', [20, 21]],
      ['layer.2.first', [22]],
      ['layer.2.steps', [23]],
    ]);
  });

  it('are parameters where they require a gradient', () => {
    const leaf = new Leaf();
    expect([...leaf.namedParameters().keys()]).toEqual(['second', 'first']);
    expect(leaf.parameters()).toEqual([leaf.second, leaf.first]);
    leaf.second.requiresGrad = false;
    expect([...leaf.namedParameters().keys()]).toEqual(['first']);
  });

  it('outlive the scope in which the module is made', () => {
    const tree = tidy(() => ({ tree: new Tree() })).tree;
    expect([...tree.namedTensors().values()].some(({ isDisposed }) => isDisposed)).toBe(false);
  });

  it('are all freed by dispose', () => {
    const tree = new Tree();
    const tensors = [...tree.namedTensors().values()];
    tree.dispose();
    expect(tensors.every(({ isDisposed }) => isDisposed)).toBe(true);
  });
});

describe('train', () => {
  it('sets the mode of a module and of all its parts', () => {
    const tree = new Tree();
    const modes = () => [tree, tree.left, tree.layer[0], tree.layer[2]].map((module) => module?.training);
    expect(modes()).toEqual([true, true, true, true]);
    expect(tree.train(false)).toBe(tree);
    expect(modes()).toEqual([false, false, false, false]);
    tree.left.train(true);
    expect(modes()).toEqual([false, true, false, false]);
  });
});

describe('load', () => {
  it('copies the numbers of parameters and buffers, and nothing else of them', () => {
    const source = new Tree(100);
    const target = new Tree();
    target.load(source.namedTensors());
    expect(numbersOf(target)).toEqual(numbersOf(source));
    source.scale.dispose();
    expect(target.scale.numbers()).toEqual([130]);
    expect(target.scale.requiresGrad).toBe(true);
    target.scale.mul(2).sum().backward(); // still a leaf
    expect(target.scale.grad?.numbers()).toEqual([2]);
  });

  it('takes weights in any order and of another type', () => {
    const target = new Leaf();
    const weights = new Map([...new Leaf(1).namedTensors()].reverse());
    target.load(weights.set('first', tensorOf([[0.5]], 'float64')));
    expectTensor(target.first, [[0.5]]);
    expectTensor(target.second, [1, 2]);
  });

  it('names every tensor that is missing, unexpected or of another shape, and copies nothing then', () => {
    const target = new Leaf();
    const weights = new Map([
      ['second', ones([3])],
      ['first', ones([1, 1])],
      ['third', ones([1])],
      ['fourth.weight', ones([1])],
    ]);
    expect(() => target.load(weights)).toThrow(
      'these weights are not of this network: steps is missing; third is unexpected; fourth.weight is unexpected; ' +
        'second has shape [3] instead of [2]',
    );
    expectTensor(target.first, [[2]]);
  });

  it('does not stretch one number over a tensor', () => {
    const weights = new Map(new Leaf().namedTensors()).set('second', zeros([]));
    expect(() => new Leaf().load(weights)).toThrow('second has shape [] instead of [2]');
  });
});
