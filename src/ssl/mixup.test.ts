import { beforeAll, describe, expect, it } from 'vitest';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { Generator, setThreads, tensor, tidy } from '../tensor/index.js';
import { drawMixing, mix } from './mixup.js';

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

  it('leaves more of a row than of its partner, and draws by the generator', () => {
    tidy(() => {
      const generator = new Generator(1);
      const mixings = Array.from({ length: 200 }, () => drawMixing(5, 0.75, generator));
      const lambdas = mixings.map(({ lambda }) => lambda);
      expect(Math.min(...lambdas)).toBeGreaterThanOrEqual(0.5);
      expect(Math.max(...lambdas)).toBeLessThanOrEqual(1);
      expect(new Set(lambdas).size).toBeGreaterThan(190);
      expect(mixings.every(({ permutation }) => new Set(permutation.numbers()).size === 5)).toBe(true);
      expect(drawMixing(5, 0.75, new Generator(1)).lambda).toBe(lambdas[0]);
    });
  });
});
