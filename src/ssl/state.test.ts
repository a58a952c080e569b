import { beforeAll, expect, it } from 'vitest';
import { expectTensor, tensorOf } from '../../test/support/tensors.js';
import { setThreads } from '../tensor/index.js';
import { copyState, joinStates } from './state.js';

beforeAll(() => setThreads(1));

it('states are joined under the names of their parts', () => {
  const parts = { a: new Map([['x.y', tensorOf([1])]]), ab: new Map([['x', tensorOf([2])]]) };
  const joined = joinStates(parts);
  expect([...joined.keys()]).toEqual(['a.x.y', 'ab.x']);
});

it('a state is copied, and refused where a part is missing or has another shape', () => {
  const own = new Map([
    ['a', tensorOf([1, 2])],
    ['b', tensorOf(3)],
  ]);
  expect(() => copyState(own, new Map([['a', tensorOf([5, 6])]]))).toThrow('the saved state has no b');
  const wrong = new Map([
    ['a', tensorOf([5, 6])],
    ['b', tensorOf([7, 8])],
  ]);
  expect(() => copyState(own, wrong)).toThrow('b has shape [2] instead of []');
  expectTensor(own.get('a') as ReturnType<typeof tensorOf>, [1, 2]); // nothing was copied
  const saved = new Map([
    ['a', tensorOf([5, 6])],
    ['b', tensorOf(7)],
    ['other', tensorOf(9)],
  ]);
  copyState(own, saved);
  saved.get('a')?.dispose();
  expectTensor(own.get('a') as ReturnType<typeof tensorOf>, [5, 6]);
  expectTensor(own.get('b') as ReturnType<typeof tensorOf>, 7);
});
