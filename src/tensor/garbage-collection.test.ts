import { describe, expect, test } from 'vitest';
import { collectGarbage } from '../../test/support/garbage.js';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { Generator, liveTensors, oneHot, ones, scalar, tensor, uniform, zeros } from './index.js';

describe('a tensor outside every scope', () => {
  test('is the only one that its making leaves', () => {
    const indices = tensor([0, 1], [2], 'int64');
    const generator = new Generator(1);
    const makers = {
      numbers: () => tensor([1, 2]),
      'converted numbers': () => tensor(Uint8Array.of(0, 1), [2], 'bool'),
      'a scalar': () => scalar(1),
      'one-hot rows': () => oneHot(indices, 2),
      'random numbers': () => uniform([2], 0, 1, { generator }),
    };
    for (const [what, make] of Object.entries(makers)) {
      const before = liveTensors();
      const made = make();
      expect(liveTensors() - before, what).toBe(1);
      made.dispose();
    }
    indices.dispose();
  });

  test('leaves none behind when its numbers or a state are read', () => {
    const [numbers, generator] = [ones([2]), new Generator(1)];
    const before = liveTensors();
    numbers.numbers();
    numbers.data();
    const { state } = generator;
    generator.state = state;
    expect(liveTensors()).toBe(before);
    numbers.dispose();
  });

  test('is freed by garbage collection', async () => {
    await collectGarbage();
    const before = liveTensors();
    for (let i = 0; i < 100; i++) ones([100]);
    expect(liveTensors()).toBe(before + 100);
    await collectGarbage();
    expect(liveTensors()).toBeLessThan(before + 10); // the stack may still show a few
  });

  test('counts as external memory, so that collection starts by itself', async () => {
    const before = liveTensors();
    let most = 0;
    for (let i = 0; i < 100; i++) {
      zeros([2 ** 20]); // 4 MiB
      most = Math.max(most, liveTensors() - before);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(most).toBeLessThan(60);
  });

  test('is not freed while something can reach it', async () => {
    const reachable = tensorOf([1, 2]);
    await collectGarbage();
    expectTensor(reachable, [1, 2]);
    reachable.dispose();
  });
});
