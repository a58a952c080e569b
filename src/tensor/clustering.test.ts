import { beforeAll, describe, expect, it } from 'vitest';
import { expectNumbers, expectTensor, irregular, tensorOf } from '../../test/support/tensors.js';
import {
  type Clusterings,
  drawCenters,
  exchangePoints,
  Generator,
  moveCenters,
  setThreads,
  type Tensor,
  tensor,
  tidy,
  uniform,
} from './index.js';

beforeAll(() => setThreads(1));

const untilTheEnd = { leastWay: 0, iterations: 100 };
const rowsOf = (rows: Tensor): number[][] => {
  const numbers = rows.numbers();
  const length = rows.shape.at(-1) as number;
  return Array.from({ length: numbers.length / length }, (_, row) =>
    numbers.slice(row * length, (row + 1) * length),
  );
};
const squaredDistance = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0);
const uniformNumbers = (shape: number[], seed = 1) =>
  uniform(shape, 0, 1, { dtype: 'float64', generator: new Generator(seed) });
/** Many points of several tiles, the last one not full, in several blocks. */
const manyPoints = () => irregular([1100, 5]).to('float32');

describe('drawCenters', () => {
  it('draws in proportion to squared distances, and takes the best candidate', () => {
    // After the point 0, the weights of the others are 1, 4 and 100 of 105.
    const points = tensorOf([[0], [1], [2], [10]]);
    const next = (...numbers: number[]) =>
      drawCenters(points, tensorOf([[numbers.map(() => 0), numbers]], 'float64')).numbers()[1];
    expect([0.005, 0.02, 0.06].map((number) => next(number))).toEqual([1, 2, 10]);
    expect(next(0.005, 0.06)).toBe(10); // which leaves 1 + 4, the other 1 + 64
    expect(next(0.06, 0.005)).toBe(10);
  });

  it('draws points that all coincide with centers', () => {
    expect(drawCenters(tensorOf([[3], [3]]), uniformNumbers([1, 4, 2])).numbers()).toEqual([3, 3, 3, 3]);
  });

  it('refuses shapes and types that do not fit', () => {
    expect(() => drawCenters(tensorOf([[3]]).to('float64'), uniformNumbers([1, 2, 2]))).toThrow(
      'points (N, D) of float32 on the CPU are needed',
    );
    expect(() => drawCenters(tensorOf([[3]]), uniformNumbers([1, 2]))).toThrow(
      'numbers (starts, clusters, candidates) of float64 on the CPU are needed, not [1, 2]',
    );
  });
});

describe('moveCenters', () => {
  it('ends with every point at its nearest center, and centers at the means of their points', () => {
    const points = manyPoints();
    const starts = drawCenters(points, uniformNumbers([3, 13, 2]));
    const { centers, assignment, inertias } = moveCenters(points, starts, untilTheEnd);
    const rows = rowsOf(points);
    for (let start = 0; start < 3; start++) {
      const own = rowsOf(centers).slice(13 * start, 13 * (start + 1));
      const assigned = assignment.numbers().slice(1100 * start, 1100 * (start + 1));
      let inertia = 0;
      rows.forEach((row, i) => {
        const distances = own.map((center) => squaredDistance(row, center));
        expect(distances[assigned[i]]).toBeLessThanOrEqual(Math.min(...distances) + 1e-6);
        inertia += distances[assigned[i]];
      });
      expectNumbers([inertias.numbers()[start]], [inertia], { tolerance: 1e-4 });
      own.forEach((center, c) => {
        const members = rows.filter((_, i) => assigned[i] === c);
        const mean = center.map(
          (_, d) => members.reduce((sum, member) => sum + member[d], 0) / members.length,
        );
        expectNumbers(center, mean, { tolerance: 1e-5 });
      });
    }
  });

  it('stops when centers have moved by no more than the least way, or after so many iterations', () => {
    const points = tensorOf([[0], [1], [2], [10]]);
    const starts = tensorOf([[[0], [1]]]); // the first iteration moves the second center by 10/3, the next by 17/3
    const move = (leastWay: number, iterations: number) =>
      moveCenters(points, starts, { leastWay, iterations }).centers.numbers();
    expectNumbers(move(0, 0), [0, 1]);
    expectNumbers(move(0, 1), [0, 13 / 3]);
    expectNumbers(move(100 / 9 + 0.01, 100), [0, 13 / 3]);
    expectNumbers(move(100 / 9 - 0.01, 2), [1, 10]);
    expectNumbers(move(0, 100), [1, 10]);
  });

  it('gives a center that loses all its points the point that is farthest from its own', () => {
    const points = tensorOf([
      [0, 0], // the first center, which this point and the next make their cluster
      [10, 0],
      [0, 6], // the second center; the mean of its members is (0, 4.07), nearer to (0, 0) than (5, 0) is
      [-1, 3.1],
      [1, 3.1],
      [10, 11], // the third center; the mean of its members is (10, 4.64), nearer to (10, 0) than (5, 0) is
      [10, 3],
      [9.9, 3],
      [10.1, 3],
      [10, 3.2],
    ]);
    const starts = points.indexSelect(0, tensor(Int32Array.of(0, 2, 5)).to('int64')).unsqueeze(0);
    const { assignment } = moveCenters(points, starts, untilTheEnd);
    const [left, right, farthest] = [0, 1, 5].map((point) => assignment.numbers()[point]);
    expect(new Set([left, right, farthest]).size).toBe(3);
    expect(assignment.numbers()).toEqual([
      left,
      right,
      left,
      left,
      left,
      farthest,
      right,
      right,
      right,
      right,
    ]);
  });

  it('is the same with any number of threads, and for each start as if it were alone', () => {
    const found = (threads: number, alone: boolean): Clusterings[] => {
      setThreads(threads);
      const points = manyPoints();
      const starts = drawCenters(points, uniformNumbers([4, 7, 3]));
      const parts = alone ? [0, 1, 2, 3].map((start) => starts.narrow(0, start, 1)) : [starts];
      return parts.map((part) => moveCenters(points, part, { leastWay: 0, iterations: 5 }));
    };
    try {
      const numbers = (clusterings: Clusterings[], what: keyof Clusterings) =>
        clusterings.flatMap((clustering) => clustering[what].numbers());
      for (const what of ['centers', 'assignment', 'inertias'] as const) {
        const one = numbers(found(1, false), what);
        expect(numbers(found(3, false), what)).toEqual(one);
        expect(numbers(found(2, true), what)).toEqual(one);
      }
    } finally {
      setThreads(1);
    }
  });

  it('refuses centers that do not fit', () => {
    expect(() => moveCenters(tensorOf([[3, 4]]), tensorOf([[[3]]]), untilTheEnd)).toThrow(
      'centers (starts, clusters, D) of float32 on the CPU are needed for points [1, 2], not [1, 1, 1]',
    );
  });
});

describe('exchangePoints', () => {
  it('exchanges single points where that is better, though each is nearest to its own center', () => {
    // Of {−1, 1, 3} and {5.1} the point 3 is 2 from its center and 2.1 from the other: 8 in all. Of {−1, 1} and {3, 5.1}: 4.2.
    const points = tensorOf([[-1], [1], [3], [5.1]]);
    const assignment = tensor(Int32Array.of(0, 0, 0, 1), [1, 4]).to('int64');
    const better = exchangePoints(points, assignment, { clusters: 2, sweeps: 20 });
    expectTensor(better.inertias, [2 + 2.1 ** 2 / 2], { dtype: 'float64', tolerance: 1e-6 });
    expect(better.assignment.numbers()).toEqual([0, 0, 1, 1]);
    expectTensor(better.centers, [[[0], [4.05]]]);
    expect(assignment.numbers()).toEqual([0, 0, 0, 1]);
  });

  it('never makes a clustering worse, and keeps every cluster', () => {
    tidy(() => {
      const points = irregular([60, 4]).to('float32');
      const settled = moveCenters(points, drawCenters(points, uniformNumbers([5, 20, 2])), untilTheEnd);
      const better = exchangePoints(points, settled.assignment, { clusters: 20, sweeps: 20 });
      const before = settled.inertias.numbers();
      better.inertias.numbers().forEach((inertia, start) => {
        expect(inertia).toBeLessThanOrEqual(before[start] + 1e-5);
        expect(new Set(better.assignment.numbers().slice(60 * start, 60 * (start + 1))).size).toBe(20);
      });
    });
  });

  it('refuses clusters that are none', () => {
    const assignment = tensor(Int32Array.of(2), [1, 1]).to('int64');
    expect(() => exchangePoints(tensorOf([[3]]), assignment, { clusters: 2, sweeps: 1 })).toThrow(
      'there are 2 clusters, and a point belongs to none of them',
    );
  });
});
