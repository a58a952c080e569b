import { beforeAll, expect, it } from 'vitest';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { setThreads } from '../tensor/index.js';
import { repeatPerView } from './batch.js';

beforeAll(() => setThreads(1));

it('the rows of images are repeated view by view, not image by image', () => {
  const rows = tensorOf([
    [1, 2],
    [3, 4],
  ]);
  expectTensor(repeatPerView(rows, 2), [
    [1, 2],
    [3, 4],
    [1, 2],
    [3, 4],
  ]);
  expectTensor(repeatPerView(tensorOf([1, 2]), 3), [1, 2, 1, 2, 1, 2]);
});

it('the rows of one view are the rows themselves', () => {
  const rows = tensorOf([1, 2]);
  expect(repeatPerView(rows, 1)).toBe(rows);
});
