import { beforeAll, describe, expect, it } from 'vitest';
import { expectTensor, tensorOf } from '../../../test/support/tensors.js';
import { liveTensors, setThreads, tidy } from '../../tensor/index.js';
import { MemoryBank } from './memory-bank.js';

beforeAll(() => setThreads(1));

const newBank = () => new MemoryBank({ capacity: 4, featureDimension: 2, classes: 3 });
const features = (...rows: [number, number][]) => tensorOf(rows);
const probabilities = (...rows: [number, number, number][]) => tensorOf(rows);

describe('the memory bank', () => {
  it('is empty at first', () => {
    expect(newBank().contents()).toBeNull();
  });

  it('holds what was added, in order', () => {
    const bank = newBank();
    bank.add(features([1, 2], [3, 4]), probabilities([1, 0, 0], [0, 1, 0]));
    bank.add(features([5, 6]), probabilities([0, 0, 1]));
    const contents = bank.contents();
    expectTensor(contents?.features ?? features(), [
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expectTensor(contents?.probabilities ?? features(), [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
  });

  it('keeps copies', () => {
    const bank = newBank();
    const added = features([1, 2]);
    bank.add(added, probabilities([1, 0, 0]));
    added.fillInPlace(9);
    added.dispose();
    expectTensor(bank.contents()?.features ?? added, [[1, 2]]);
  });

  it('starts anew after it was cleared', () => {
    const bank = newBank();
    bank.add(features([1, 2], [3, 4]), probabilities([1, 0, 0], [0, 1, 0]));
    bank.clear();
    expect(bank.contents()).toBeNull();
    bank.add(features([7, 8]), probabilities([0, 0, 1]));
    expectTensor(bank.contents()?.features ?? features(), [[7, 8]]);
  });

  it('refuses more than its capacity', () => {
    const bank = newBank();
    const rows = [1, 2, 3].map((x): [number, number] => [x, x]);
    const certain = rows.map((): [number, number, number] => [1, 0, 0]);
    bank.add(features(...rows), probabilities(...certain));
    expect(() => bank.add(features(...rows), probabilities(...certain))).toThrow();
    expect(bank.contents()?.features.shape).toEqual([3, 2]);
  });

  it('needs no more memory as it fills', () => {
    const bank = newBank();
    const row = features([1, 2]);
    const certain = probabilities([1, 0, 0]);
    const before = liveTensors();
    tidy(() => {
      bank.add(row, certain);
      bank.add(row, certain);
      bank.contents();
    });
    expect(liveTensors()).toBe(before);
  });
});
