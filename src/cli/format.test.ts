import { describe, expect, it } from 'vitest';
import { painter } from './colors.js';
import { formatBytes, formatDuration, formatPercent } from './format.js';

describe('formatDuration', () => {
  it.each([
    [0, '0.0 s'],
    [4.21, '4.2 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1:00'],
    [3599.7, '1:00:00'],
    [7384, '2:03:04'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('writes %d seconds as %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [99_960, '100 kB'],
    [999_700, '1.0 MB'],
    [26_421_880, '26.4 MB'],
    [2e15, '2000 TB'],
  ])('writes %d as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe('formatPercent', () => {
  it('keeps two digits, so that one image of ten thousand shows', () => {
    expect(formatPercent(0.97855)).toBe('97.86 %');
    expect(formatPercent(1)).toBe('100.00 %');
  });
});

describe('painter', () => {
  it('colors on a terminal only, and not with NO_COLOR or on a dumb one', () => {
    const paint = (isTTY: boolean, env: NodeJS.ProcessEnv) => painter({ isTTY }, env)('red', 'x');
    expect(paint(true, {})).toBe('\u001b[31mx\u001b[39m');
    expect(paint(false, {})).toBe('x');
    expect(paint(true, { NO_COLOR: '1' })).toBe('x');
    expect(paint(true, { NO_COLOR: '' })).toBe('\u001b[31mx\u001b[39m');
    expect(paint(true, { TERM: 'dumb' })).toBe('x');
  });
});
