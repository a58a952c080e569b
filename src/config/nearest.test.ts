import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from './nearest.js';

describe('editDistance', () => {
  it('counts insertions, deletions and replacements', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('abc', '')).toBe(3);
    expect(editDistance('abc', 'abc')).toBe(0);
  });

  it('is a metric', () => {
    const text = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe('nearest', () => {
  it('finds what was meant, whatever its case', () => {
    expect(nearest('LEARNINGRAT', ['steps', 'learningRate', 'momentum'])).toBe('learningRate');
  });

  it('finds nothing where nothing is near', () => {
    expect(nearest('banana', ['steps', 'seed'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
});
