import { beforeAll, describe, expect, it } from 'vitest';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { Generator, ones, setThreads, type Tensor, tensor, tidy } from '../tensor/index.js';
import { drawMixing, mix } from './mixing.js';

beforeAll(() => setThreads(1));

describe('mixup', () => {
  it('takes λ of a row and 1 − λ of its partner', () => {
    tidy(() => {
      const rows = tensorOf([
        [0, 4],
        [8, 0],
        [4, 4],
      ]);
      const permutation = tensor(Int32Array.of(1, 2, 0)).to('int64');
      expectTensor(mix(rows, { lambda: 0.75, permutation }), [
        [2, 3],
        [7, 1],
        [3, 4],
      ]);
    });
  });

  it('takes a λ of its own for each row where there is one', () => {
    tidy(() => {
      const rows = tensorOf([
        [0, 4],
        [8, 0],
      ]);
      const permutation = tensor(Int32Array.of(1, 0)).to('int64');
      expectTensor(mix(rows, { lambda: tensorOf([1, 0.25]), permutation }), [
        [0, 4],
        [2, 3],
      ]);
      const { lambda } = drawMixing(50, { alpha: 1, generator: new Generator(1), perRow: true });
      const lambdas = (lambda as Tensor).numbers();
      expect(new Set(lambdas).size).toBe(50);
      expect(Math.min(...lambdas)).toBeLessThan(0.3); // any share, unless the row is to dominate
      const images = ones([2, 1, 2, 2]);
      expect(mix(images, { lambda: tensorOf([0.5, 0.1]), permutation }).equals(images)).toBe(true);
    });
  });

  it('leaves more of a row than of its partner, and draws by the generator', () => {
    tidy(() => {
      const generator = new Generator(1);
      const mixings = Array.from({ length: 200 }, () =>
        drawMixing(5, { alpha: 0.75, generator, dominant: true }),
      );
      const lambdas = mixings.map(({ lambda }) => lambda as number);
      expect(Math.min(...lambdas)).toBeGreaterThanOrEqual(0.5);
      expect(Math.max(...lambdas)).toBeLessThanOrEqual(1);
      expect(new Set(lambdas).size).toBeGreaterThan(190);
      expect(mixings.every(({ permutation }) => new Set(permutation.numbers()).size === 5)).toBe(true);
      expect(drawMixing(5, { alpha: 0.75, generator: new Generator(1), dominant: true }).lambda).toBe(
        lambdas[0],
      );
    });
  });
});
