import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectNumbers, expectTensor, type Nested, tensorOf } from '../../../test/support/tensors.js';
import {
  Generator,
  liveTensors,
  setThreads,
  type Tensor,
  tensor,
  tidy,
  uniform,
} from '../../tensor/index.js';
import { type KMeansOptions, type KMeansResult, kMeans } from './k-means.js';

beforeAll(() => setThreads(1));

type Points = readonly (readonly number[])[];

const cluster = (points: Nested, clusters: number, options: Partial<KMeansOptions> = {}) =>
  kMeans(tensorOf(points), { clusters, generator: new Generator(1), ...options });

const assignmentOf = ({ assignment }: KMeansResult) => assignment.numbers();
const rowsOf = (rows: Tensor): number[][] => {
  const [count, length] = rows.shape;
  const numbers = rows.numbers();
  return Array.from({ length: count }, (_, row) => numbers.slice(row * length, (row + 1) * length));
};

/** The result follows from its own assignment, and no point has a nearer center. */
function expectConsistent(points: Points, result: KMeansResult): void {
  const centers = rowsOf(result.centers);
  const assignment = assignmentOf(result);
  const squaredDistance = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0);
  let inertia = 0;
  assignment.forEach((own, point) => {
    const distances = centers.map((center) => squaredDistance(points[point], center));
    expect(distances[own]).toBeLessThanOrEqual(Math.min(...distances) + 1e-4);
    inertia += distances[own];
  });
  expectNumbers([result.inertia], [inertia], { tolerance: 1e-3 });
  centers.forEach((center, own) => {
    const members = points.filter((_, point) => assignment[point] === own);
    if (members.length === 0) return;
    const mean = center.map((_, i) => members.reduce((sum, member) => sum + member[i], 0) / members.length);
    expectNumbers(center, mean, { tolerance: 1e-4 });
  });
}

describe('K-means', () => {
  it('finds groups that lie apart, with their means as centers', () => {
    const points = [
      [0, 0],
      [10, 0],
      [0, 1],
      [10, 2],
      [0, 2],
      [50, 50],
    ];
    const result = cluster(points, 3);
    const [a, b, , , , c] = assignmentOf(result);
    expect(assignmentOf(result)).toEqual([a, b, a, b, a, c]);
    const centers = rowsOf(result.centers);
    expectNumbers([centers[a], centers[b], centers[c]].flat(), [0, 1, 10, 1, 50, 50]);
    expect(result.inertia).toBeCloseTo(1 + 0 + 1 + 1 + 1 + 0, 3);
  });

  it('gives a result that fits together, for any points', () => {
    const coordinate = fc.integer({ min: -5, max: 5 });
    const points = fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(points, fc.integer({ min: 1, max: 8 }), fc.nat(100), (given, clusters, seed) => {
        tidy(() => {
          const result = cluster(given, clusters, { generator: new Generator(seed), starts: 2 });
          expect(result.centers.shape).toEqual([Math.min(clusters, given.length), 2]);
          expect(result.assignment.shape).toEqual([given.length]);
          expectConsistent(given, result);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('leaves no cluster empty where there are enough different points', () => {
    const coordinate = fc.integer({ min: -3, max: 3 });
    const points = fc.uniqueArray(fc.tuple(coordinate, coordinate), {
      minLength: 6,
      maxLength: 20,
      selector: String,
    });
    fc.assert(
      fc.property(points, fc.nat(1000), (given, seed) => {
        tidy(() => {
          const result = cluster(given, 6, { generator: new Generator(seed), starts: 1 });
          expect(new Set(assignmentOf(result)).size).toBe(6);
        });
      }),
      { numRuns: 100 },
    );
  });

  it('makes every point a cluster where there are no more points than clusters', () => {
    const points = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    for (const clusters of [3, 7]) {
      const result = cluster(points, clusters);
      expect(assignmentOf(result).toSorted()).toEqual([0, 1, 2]);
      expect(result.inertia).toBeCloseTo(0, 4);
      expectConsistent(points, result);
    }
  });

  it('takes one point', () => {
    const result = cluster([[3, -4]], 5);
    expectTensor(result.centers, [[3, -4]]);
    expect(assignmentOf(result)).toEqual([0]);
    expect(result.inertia).toBeCloseTo(0, 5);
  });

  it('gives the mean where one cluster is asked for', () => {
    const result = cluster([[0], [1], [5]], 1);
    expectTensor(result.centers, [[2]]);
    expect(result.inertia).toBeCloseTo(4 + 1 + 9, 4);
  });

  it('takes points that are all the same, or of which fewer differ than there are clusters', () => {
    const same = Array.from({ length: 6 }, () => [0.6, 0.8]);
    const one = cluster(same, 3);
    expect(one.inertia).toBeCloseTo(0, 5);
    for (const center of rowsOf(one.centers)) expectNumbers(center, [0.6, 0.8]);

    const two = cluster([...same, [-1, 0], [-1, 0]], 4);
    expect(two.inertia).toBeCloseTo(0, 5);
    expectConsistent([...same, [-1, 0], [-1, 0]], two);
  });

  it('is the same for the same seed, and draws other starts from another', () => {
    const points = Array.from({ length: 40 }, (_, i) => [Math.sin(i * 1.3), Math.cos(i * i)]);
    const run = (seed: number) => cluster(points, 6, { generator: new Generator(seed), starts: 1 });
    expect(run(3).assignment.equals(run(3).assignment)).toBe(true);
    expect(run(3).centers.equals(run(3).centers)).toBe(true);
    expect(new Set([1, 2, 3, 4, 5].map((seed) => run(seed).inertia)).size).toBeGreaterThan(1);
  });

  it('is the same with any number of threads', () => {
    const points = uniform([700, 64], 0, 1, { generator: new Generator(1) });
    const run = (threads: number) => {
      setThreads(threads);
      return kMeans(points, { clusters: 5, generator: new Generator(2), starts: 4 });
    };
    try {
      const [one, three] = [run(1), run(3)];
      expect(three.centers.numbers()).toEqual(one.centers.numbers());
      expect(three.assignment.numbers()).toEqual(one.assignment.numbers());
      expect(three.inertia).toBe(one.inertia);
    } finally {
      setThreads(1);
    }
  });

  it('tells points apart that lie close together and far from the origin', () => {
    // neighbors are 0.001 apart, at a distance of 1: squared distances of 1e-6 beside squared norms of 1
    const points = [1, 2, 3, 11, 12, 13, 21, 22, 23].map((i) => [1, i / 1000]);
    const { assignment, inertia } = cluster(points, 3, { starts: 3 });
    const [a, b, c] = [0, 3, 6].map((i) => assignment.numbers()[i]);
    expect(assignment.numbers()).toEqual([a, a, a, b, b, b, c, c, c]);
    expect(inertia * 1e6).toBeCloseTo(6, 2);
  });

  it('is better the more starts it has', () => {
    const points = Array.from({ length: 60 }, (_, i) => [Math.sin(i * 7), Math.sin(i * i * 3)]);
    const inertias = (starts: number) =>
      [1, 2, 3, 4, 5].map((seed) => cluster(points, 7, { starts, generator: new Generator(seed) }).inertia);
    const mean = (numbers: number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    expect(mean(inertias(10))).toBeLessThan(mean(inertias(1)));
  });

  it('takes points of length zero among others', () => {
    const points = [
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 0.1],
      [0, 1],
    ];
    const result = cluster(points, 3);
    const [zero, , right, , up] = assignmentOf(result);
    expect(assignmentOf(result)).toEqual([zero, zero, right, right, up]);
    expectConsistent(points, result);
  });

  it('clusters many points', () => {
    // four squares of points around the corners of a larger one
    const points = Array.from({ length: 3000 }, (_, i) => [
      10 * (i % 2) + ((i * 7) % 11) / 11,
      10 * ((i >> 1) % 2) + ((i * 5) % 13) / 13,
    ]);
    const result = cluster(points, 4);
    expectConsistent(points, result);
    const corners = assignmentOf(result).slice(0, 4);
    expect(new Set(corners).size).toBe(4);
    expect(assignmentOf(result)).toEqual(points.map((_, i) => corners[i % 4]));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %d', (number) => {
    expect(() =>
      cluster(
        [
          [0, 1],
          [number, 2],
        ],
        1,
      ),
    ).toThrow('K-means needs finite numbers, but a point has a NaN or an infinity');
  });

  it('refuses no points', () => {
    expect(() => kMeans(tensor([], [0, 3]), { clusters: 2, generator: new Generator(1) })).toThrow(
      'K-means needs at least one point',
    );
  });

  it('leaves nothing but its result behind, and records nothing for gradients', () => {
    tidy(() => {
      const points = tensorOf([[0], [1], [5], [6], [9]]);
      points.requiresGrad = true;
      const before = liveTensors();
      const { centers } = kMeans(points, { clusters: 2, generator: new Generator(1) });
      expect(liveTensors()).toBe(before + 2);
      expect(centers.requiresGrad).toBe(false);
    });
  });
});
