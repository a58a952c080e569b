import { describe, expect, it } from 'vitest';
import { confusionMatrix, lineChart } from './charts.js';
import { escapeText, linearScale, roundNumbers } from './svg.js';

describe('the marks of an axis', () => {
  it.each([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 3000, 4, [0, 1000, 2000, 3000]],
    [0.51, 0.98, 5, [0.6, 0.7, 0.8, 0.9]],
    [0, 7e-5, 4, [0, 2e-5, 4e-5, 6e-5]],
  ])('between %d and %d are round', (low, high, count, expected) => {
    expect(roundNumbers(low, high, count)).toEqual(expected);
  });

  it('have places in proportion, also where all values are the same', () => {
    expect(linearScale([10, 20], [100, 0]).at(15)).toBe(50);
    expect(linearScale([3, 3], [0, 100]).at(3)).toBe(50);
  });
});

describe('a line chart', () => {
  const options = { label: 'loss', yLabel: 'loss', steps: 1000 };
  const line = (count: number) => ({
    name: 'all',
    color: 0,
    points: Array.from({ length: count }, (_, i) => [i, 1] as const),
  });
  const corners = (chart: string) => / d="([^"]*)"/.exec(chart)?.[1].split(/[ML]/).length;

  it('joins its points, and of very many the means of neighbours', () => {
    expect(corners(lineChart([line(7)], options))).toBe(8);
    expect(corners(lineChart([line(16_000)], options))).toBe(301);
  });

  it('has a legend where there are several lines', () => {
    expect(lineChart([line(2)], options)).not.toContain('legend');
    expect(lineChart([line(2), { ...line(2), name: 'a < b' }], options)).toContain('a &lt; b</span>');
  });
});

describe('a confusion matrix', () => {
  it('has a cell for each pair of classes that occurs, and says what it is', () => {
    const matrix = confusionMatrix(
      [
        [8, 2],
        [0, 5],
      ],
      ['cat', '<dog>'],
    );
    expect(matrix.match(/<rect/g)?.length).toBe(3);
    expect(matrix).toContain(`<title>cat taken for ${escapeText('<dog>')}: 2 images</title>`);
  });
});
