/**
 * The parts of K-means, each for several starts on the same points (N, D). Points and centers are float32 on the CPU. The
 * number of threads changes nothing.
 */
import { callTensor, callTensors, type Tensor } from './tensor.js';

export interface Clusterings {
  /** (starts, clusters, D) */
  readonly centers: Tensor;
  /** cluster of each point (starts, N), int64 */
  readonly assignment: Tensor;
  /** Σ of squared distances between points and the centers of their clusters (starts), float64 */
  readonly inertias: Tensor;
}

const clusterings = ([centers, assignment, inertias]: Tensor[]): Clusterings => ({
  centers,
  assignment,
  inertias,
});

/**
 * Draws centers among the points by greedy k-means++ (Arthur and Vassilvitskii 2007): each is the best of some
 * candidates, which uniform numbers (starts, clusters, candidates) in [0, 1), float64, choose in proportion to their
 * squared distance from the nearest center so far → (starts, clusters, D)
 */
export function drawCenters(points: Tensor, uniformNumbers: Tensor): Tensor {
  return callTensor('featmatch::k_means_starts', points, uniformNumbers);
}

/**
 * Moves centers (starts, clusters, D) to the means of the points that are nearest to them, over and over (Lloyd 1982),
 * until no point changes its center or the squared ways of a start's centers add up to `leastWay` or less. A center
 * that loses all its points goes to the point that is farthest from its own.
 */
export function moveCenters(
  points: Tensor,
  centers: Tensor,
  { leastWay, iterations }: { leastWay: number; iterations: number },
): Clusterings {
  return clusterings(callTensors('featmatch::lloyd', points, centers, leastWay, iterations));
}

/**
 * Moves single points from cluster to cluster where that makes the inertia smaller (Hartigan and Wong 1979). With few
 * points that is often so although every point is nearest to its own center, since a center follows its members.
 * Clusters keep at least one point.
 * @param assignment cluster of each point (starts, N), int64
 */
export function exchangePoints(
  points: Tensor,
  assignment: Tensor,
  { clusters, sweeps }: { clusters: number; sweeps: number },
): Clusterings {
  return clusterings(callTensors('featmatch::exchange_points', points, assignment, clusters, sweeps));
}
