/**
 * K-means with several random starts at once: every product serves all starts. Starts are drawn as k-means++ does
 * (Arthur and Vassilvitskii 2007). What is found on few points, or on a sample of many, is computed in double precision:
 * features of one class may be a thousandth of their length apart.
 */
import {
  arange,
  type DType,
  type Generator,
  multinomial,
  noGrad,
  oneHot,
  ones,
  randomPermutation,
  stack,
  type Tensor,
  tensor,
  tidy,
  where,
  zeros,
} from '../../tensor/index.js';
import { exchangePoints } from './k-means-exchange.js';

export interface KMeansOptions {
  readonly clusters: number;
  readonly generator: Generator;
  /** random starts, of which the best is taken (default 20) */
  readonly starts?: number;
}

export interface KMeansResult {
  /** cluster of each point (N), int64 */
  readonly assignment: Tensor;
  /** centers (clusters, D): the means of their members */
  readonly centers: Tensor;
  /** Σ of squared distances to the nearest center */
  readonly inertia: number;
}

/** Of more points than this, so many drawn at random find out which starts are good (Bradley and Fayyad 1998). */
const SAMPLE = 1024;
/** The best starts, whose points are exchanged one by one, and those of them that go on with all points. */
const FINALISTS = 8;
const WITH_ALL_POINTS = 2;
/** Centers that move by less than this share of the variance have settled; as in scikit-learn. */
const TOLERANCE = 1e-4;
/** Usually they settle much earlier. */
const MAX_ITERATIONS = 100;

/**
 * Clusters points (N, D) by Euclidean distance. With no more points than clusters every point is a cluster of its own.
 * A cluster that loses all its members takes the point that is farthest from its center.
 * @throws Error where there is no point, or a number that is not finite
 */
export function kMeans(points: Tensor, options: KMeansOptions): KMeansResult {
  const { generator, starts = 20 } = options;
  return noGrad(() =>
    tidy(() => {
      const [count] = points.shape;
      if (count === 0) throw new Error('K-means needs at least one point');
      if (!Number.isFinite(points.sum().item()))
        throw new Error('K-means needs finite numbers, but a point has a NaN or an infinity');
      const clusters = Math.min(options.clusters, count);
      const sample = sampleOf(points, generator).to('float64');
      // Distances are made of squared norms, which cancel best around the origin: features of one class lie close.
      const origin = sample.mean([0], true); // (1, D)
      const shifted = sample.sub(origin);
      const started = settle(shifted, initialCenters(shifted, { clusters, starts, generator }));
      const bettered = exchange(shifted, bestOf(started, FINALISTS));
      if (count <= SAMPLE) return result(bettered, origin, points.dtype);
      const centers = bestOf(bettered, WITH_ALL_POINTS).centers.to(points.dtype);
      return result(settle(points.sub(origin.to(points.dtype)), centers), origin, points.dtype);
    }),
  );
}

function result({ centers, assignment, inertias }: Found, origin: Tensor, dtype: DType): KMeansResult {
  const best = inertias.argmin(0).item();
  return {
    assignment: assignment.narrow(0, best, 1).squeeze(0).clone(),
    centers: centers.narrow(0, best, 1).squeeze(0).add(origin).to(dtype),
    inertia: inertias.numbers()[best],
  };
}

function bestOf({ centers, assignment, inertias }: Found, number: number): Found {
  const best = inertias.neg().topk(Math.min(number, inertias.size)).indices;
  const select = (tensor: Tensor) => tensor.indexSelect(0, best);
  return { centers: select(centers), assignment: select(assignment), inertias: select(inertias) };
}

/** Each start bettered by single points. */
function exchange(points: Tensor, { centers, assignment }: Found): Found {
  const [starts, clusters] = centers.shape;
  const [count, dimension] = points.shape;
  const numbers = points.data() as Float64Array;
  const assignments = assignment.to('int32').data() as Int32Array;
  const inertias = Array.from({ length: starts }, (_, start) =>
    exchangePoints(
      { numbers, count, dimension },
      assignments.subarray(start * count, (start + 1) * count),
      clusters,
    ),
  );
  const exchanged = tensor(assignments, [starts, count]).to('int64');
  return {
    centers: meansOfMembers(points, {
      assignment: exchanged,
      distances: zeros([starts, count], { dtype: points.dtype }),
      clusters,
    }),
    assignment: exchanged,
    inertias: tensor(Float64Array.from(inertias)),
  };
}

/** All points (N, D), or of many some. */
function sampleOf(points: Tensor, generator: Generator): Tensor {
  const [count] = points.shape;
  if (count <= SAMPLE) return points;
  return points.indexSelect(0, randomPermutation(count, generator).narrow(0, 0, SAMPLE));
}

interface Found {
  readonly centers: Tensor; // (starts, clusters, D)
  readonly assignment: Tensor; // (starts, N)
  readonly inertias: Tensor; // (starts)
}

/**
 * Moves centers (starts, clusters, D) to the means of the points that are nearest to them, until no point changes its
 * center or the centers of every start move by as little as makes scikit-learn stop.
 */
function settle(points: Tensor, start: Tensor): Found {
  return tidy(() => {
    const clusters = start.shape[1];
    const least = TOLERANCE * points.mul(points).mean().item(); // the points are around the origin
    let centers = start;
    let { assignment, distances } = assign(points, centers);
    for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
      const next = tidy(() => {
        const moved = meansOfMembers(points, { assignment, distances, clusters });
        const result = assign(points, moved);
        const way = moved.sub(centers).pow(2).sum([1, 2]).amax(0).item();
        const isSettled = way <= least || result.assignment.equals(assignment);
        return { centers: moved, ...result, isSettled };
      });
      if (iteration > 0) centers.dispose();
      for (const old of [assignment, distances]) old.dispose();
      ({ centers, assignment, distances } = next);
      if (next.isSettled) break;
    }
    return { centers, assignment, inertias: distances.sum([1]) };
  });
}

/**
 * Greedy k-means++: of a few points drawn in proportion to their squared distance from the nearest center so far, the
 * next center is the one that leaves the smallest sum of these distances. How many are drawn follows scikit-learn.
 */
function initialCenters(
  points: Tensor,
  { clusters, starts, generator }: { clusters: number; starts: number; generator: Generator },
): Tensor {
  return tidy(() => {
    const [count] = points.shape;
    const draws = 2 + Math.floor(Math.log(clusters));
    const draw = (weights: Tensor, number: number) =>
      points.indexSelect(0, multinomial(weights, number, generator).reshape(-1)); // (starts·number, D)
    const centers = [draw(ones([starts, count], { dtype: points.dtype }), 1)];
    let nearest = squaredDistances(points, centers[0]).transpose(0, 1); // (starts, N)
    while (centers.length < clusters) {
      const next = tidy(() => {
        // the small constant lets points that coincide with centers be drawn when there are no others
        const candidates = draw(nearest.add(1e-30), draws); // (starts·draws, D)
        const distances = squaredDistances(points, candidates).transpose(0, 1).reshape(starts, draws, count);
        const current = nearest.unsqueeze(1); // (starts, 1, N)
        const remaining = where(distances.lt(current), distances, current); // (starts, draws, N)
        const best = remaining.sum([2]).argmin(1).add(arange(starts).mul(draws)); // a row of candidates for each start
        return {
          center: candidates.indexSelect(0, best),
          nearest: remaining.reshape(starts * draws, count).indexSelect(0, best),
        };
      });
      nearest.dispose();
      nearest = next.nearest;
      centers.push(next.center);
    }
    return stack(centers, 1);
  });
}

/** ‖p − c‖² for points (N, D) and centers (M, D) → (N, M), not negative. */
function squaredDistances(points: Tensor, centers: Tensor): Tensor {
  return tidy(() => {
    const norms = centers.mul(centers).sum([1]).unsqueeze(0); // (1, M)
    const ownNorms = points.mul(points).sum([1], true); // (N, 1)
    return points
      .matmul(centers.transpose(0, 1))
      .mulInPlace(-2)
      .addInPlace(norms)
      .addInPlace(ownNorms)
      .clamp(0, null);
  });
}

/** The nearest center of each point in each start: assignment and squared distance, (starts, N) each. */
function assign(points: Tensor, centers: Tensor): { assignment: Tensor; distances: Tensor } {
  return tidy(() => {
    const [starts, clusters, dimension] = centers.shape;
    const distances = squaredDistances(points, centers.reshape(starts * clusters, dimension))
      .reshape(-1, starts, clusters) // (N, starts, clusters)
      .transpose(0, 1);
    return { assignment: distances.argmin(2), distances: distances.amin(2) };
  });
}

function meansOfMembers(
  points: Tensor,
  { assignment, distances, clusters }: { assignment: Tensor; distances: Tensor; clusters: number },
): Tensor {
  return tidy(() => {
    const members = oneHot(assignment, clusters).to(points.dtype); // (starts, N, clusters)
    const counts = members.sum([1]).unsqueeze(2); // (starts, clusters, 1)
    const means = members.transpose(1, 2).matmul(points).div(counts.clamp(1, null)); // (starts, clusters, D)
    const numberOfMembers = counts.numbers();
    for (let start = 0; start < assignment.shape[0]; start++) {
      const empty = Array.from({ length: clusters }, (_, cluster) => cluster).filter(
        (cluster) => numberOfMembers[start * clusters + cluster] === 0,
      );
      if (empty.length === 0) continue;
      const farthest = distances.narrow(0, start, 1).topk(empty.length).indices.reshape(-1);
      const replacements = points.indexSelect(0, farthest);
      empty.forEach((cluster, index) => {
        means
          .narrow(0, start, 1)
          .narrow(1, cluster, 1)
          .copyInPlace(replacements.narrow(0, index, 1).unsqueeze(0));
      });
    }
    return means;
  });
}
