import { describe, expect, test } from 'vitest';
import { expectNumbers } from '../../test/support/tensors.js';
import { bernoulli, Generator, multinomial, normal, type Tensor, tensor, tidy, uniform } from './index.js';

/** The next five uniform numbers. */
const draw = (generator: Generator): number[] => tidy(() => uniform([5], 0, 1, { generator }).numbers());

describe('a generator', () => {
  test('gives the same numbers for the same seed', () => {
    expect(draw(new Generator(42))).toEqual(draw(new Generator(42)));
  });

  test('gives other numbers for another seed, and as it goes on', () => {
    const generator = new Generator(42);
    const first = draw(generator);
    expect(draw(generator)).not.toEqual(first);
    expect(draw(new Generator(43))).not.toEqual(first);
  });

  test("gives PyTorch's numbers", () => {
    // python3 -c "import torch; torch.manual_seed(1); print(torch.rand(2))"
    expectNumbers(draw(new Generator(1)).slice(0, 2), [0.7576316, 0.2793109]);
  });

  test('takes every seed from 0 to 2^53 − 1, and all of its bits count', () => {
    const seeds = [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 33 + 1, 2 ** 53 - 1];
    expect(new Set(seeds.map((seed) => draw(new Generator(seed))[0])).size).toBe(seeds.length);
  });

  test.each([-1, 1.5, Number.NaN, Infinity, 2 ** 53])('refuses the seed %d', (seed) => {
    expect(() => new Generator(seed)).toThrow(`a seed is an integer from 0 to 2^53 - 1, not ${seed}`);
  });

  test('is independent of others', () => {
    const alone = new Generator(1);
    const expected = [draw(alone), draw(alone)];
    const [first, second] = [new Generator(1), new Generator(2)];
    const interleaved = [draw(first), draw(second), draw(first)];
    expect([interleaved[0], interleaved[2]]).toEqual(expected);
  });

  test('serves every function that draws', () => {
    const all = () => {
      const generator = new Generator(7);
      return tidy(() => [
        normal([3], 0, 1, { generator }).numbers(),
        bernoulli([8], 0.5, { generator }).numbers(),
        multinomial(tensor([1, 2, 3], [1, 3]), 8, generator).numbers(),
      ]);
    };
    expect(all()).toEqual(all());
  });
});

describe("a generator's state", () => {
  test('continues where it was saved', () => {
    const generator = new Generator(1);
    draw(generator);
    const { state } = generator;
    const expected = [draw(generator), draw(generator)];
    generator.state = state;
    expect([draw(generator), draw(generator)]).toEqual(expected);
  });

  test('moves to another generator', () => {
    const [from, to] = [new Generator(1), new Generator(2)];
    draw(from);
    to.state = from.state;
    expect(draw(to)).toEqual(draw(from));
  });

  test('includes the second half of a pair of normal numbers', () => {
    const odd = (generator: Generator) => tidy(() => normal([3], 0, 1, { generator }).numbers());
    const generator = new Generator(1);
    odd(generator);
    const restored = new Generator(0);
    restored.state = generator.state;
    expect(odd(restored)).toEqual(odd(generator));
  });

  test('is a copy: later draws do not change it', () => {
    const generator = new Generator(1);
    const { state } = generator;
    const before = state.slice();
    draw(generator);
    expect(state).toEqual(before);
    expect(generator.state).not.toEqual(before);
  });

  test('is left alone by a scope that ends', () => {
    const generator = tidy(() => new Generator(1));
    const state = tidy(() => generator.state);
    tidy(() => {
      generator.state = state;
    });
    expect(draw(generator)).toEqual(draw(new Generator(1)));
  });

  test.each([new Uint8Array(0), new Uint8Array(10), new Uint8Array(5056)])(
    'that is none is refused, and the generator goes on',
    (bytes) => {
      const generator = new Generator(1);
      expect(() => {
        generator.state = bytes;
      }).toThrow('Generator.state: ');
      expect(draw(generator)).toEqual(draw(new Generator(1)));
    },
  );
});

describe('numbers drawn', () => {
  const count = 20_000;
  const statistics = (drawn: Tensor) => {
    const mean = drawn.mean().item();
    return { mean, variance: drawn.sub(mean).pow(2).mean().item() };
  };

  test('uniformly have the mean, variance and bounds of the range', () => {
    tidy(() => {
      const drawn = uniform([count], -1, 3, { generator: new Generator(1) });
      const { mean, variance } = statistics(drawn);
      expect(mean).toBeCloseTo(1, 1);
      expect(variance).toBeCloseTo(16 / 12, 1);
      expect(drawn.amin(0).item()).toBeGreaterThanOrEqual(-1);
      expect(drawn.amax(0).item()).toBeLessThan(3);
    });
  });

  test('normally have the mean and variance asked for, and normal tails', () => {
    tidy(() => {
      const drawn = normal([count], 5, 2, { generator: new Generator(1) });
      const { mean, variance } = statistics(drawn);
      expect(mean).toBeCloseTo(5, 1);
      expect(Math.abs(variance - 4)).toBeLessThan(0.2);
      const beyondTwoDeviations = drawn.sub(5).abs().gt(4).to('float32').mean().item();
      expect(beyondTwoDeviations).toBeCloseTo(0.0455, 2);
    });
  });

  test('as bernoulli are 1 as often as asked for, else 0', () => {
    tidy(() => {
      const drawn = bernoulli([count], 0.3, { generator: new Generator(1) });
      expect(drawn.mean().item()).toBeCloseTo(0.3, 1);
      expect(new Set(drawn.numbers())).toEqual(new Set([0, 1]));
    });
  });

  test('by weight come in proportion', () => {
    tidy(() => {
      const drawn = multinomial(tensor([1, 3], [1, 2]), count, new Generator(1));
      expect(drawn.to('float32').mean().item()).toBeCloseTo(0.75, 1);
    });
  });
});
