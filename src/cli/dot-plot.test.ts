import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dotPlot, roundSteps } from './dot-plot.js';

describe('round steps', () => {
  it.each([
    [91.3, 98.7, [91, 92, 93, 94, 95, 96, 97, 98, 99]],
    [40, 99, [40, 50, 60, 70, 80, 90, 100]],
  ])('from %d to %d', (low, high, ticks) => {
    expect(roundSteps(low, high)).toEqual(ticks);
  });

  it('enclose everything between two numbers, also equal ones, and are a few', () => {
    const numbers = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const ticks = roundSteps(low, high);
        expect(ticks[0]).toBeLessThanOrEqual(low + 1e-9);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(high - 1e-9);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThan(13);
      }),
    );
  });
});

describe('a dot plot', () => {
  const plot = dotPlot({
    title: 'a & b',
    axis: 'percent',
    groups: [
      { title: '40 labels', rows: [{ label: 'x<y', values: [90, 100] }] },
      { title: '100 labels', rows: [{ label: 'z', values: [95] }] },
    ],
  });

  it('has a dot for each number where the axis has it, and a bar at the mean', () => {
    const dots = [...plot.matchAll(/<circle cx="([\d.]+)"/g)].map(([, x]) => Number(x));
    const bars = [...plot.matchAll(/<rect x="([\d.]+)"/g)].map(([, x]) => Number(x) + 1.5);
    expect(dots[1]).toBeGreaterThan(dots[0]);
    expect(dots[2]).toBeCloseTo((dots[0] + dots[1]) / 2, 1);
    expect(bars).toEqual([dots[2], dots[2]]);
  });

  it('is well-formed, its texts escaped', () => {
    expect(plot).toContain('a &amp; b');
    expect(plot).toContain('x&lt;y');
    expect(plot.match(/<text/g)).toHaveLength(plot.match(/<\/text>/g)?.length ?? 0);
    expect(plot.trimEnd().endsWith('</svg>')).toBe(true);
  });
});
