/**
 * K-means with several random starts at once, drawn as greedy k-means++ does (Arthur and Vassilvitskii 2007) and moved
 * by Lloyd's iterations, all in single precision: differences of numbers around the origin are exact enough for
 * features of one class, which may be a thousandth of their length apart.
 */
import {
  type Clusterings,
  drawCenters,
  exchangePoints,
  type Generator,
  moveCenters,
  noGrad,
  type Tensor,
  tidy,
  uniform,
} from '../../tensor/index.js';

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

/** Centers whose squared ways add up to this share of the variance have settled; as in scikit-learn. */
const TOLERANCE = 1e-4;
/** Usually they settle much earlier; as in scikit-learn. */
const MAX_ITERATIONS = 300;
/** With more points than these for each cluster, one of them moves its center too little to be worth a try. */
const FEW_MEMBERS = 100;
/** The best starts, whose points are exchanged one by one. */
const FINALISTS = 8;
const MAX_SWEEPS = 20;

/**
 * Clusters points (N, D) by Euclidean distance, on the CPU. With no more points than clusters every point is a cluster
 * of its own. A cluster that loses all its members takes the point that is farthest from its center.
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
      const origin = points.mean([0], true); // (1, D)
      const shifted = points.sub(origin).toDevice('cpu').to('float32');
      const candidates = 2 + Math.floor(Math.log(clusters)); // as in scikit-learn
      const draws = uniform([starts, clusters, candidates], 0, 1, { dtype: 'float64', generator });
      // number by number first, or the last bit depends on the number of threads
      const variance = shifted.mul(shifted).mean([0]).mean().item();
      const settled = moveCenters(shifted, drawCenters(shifted, draws), {
        leastWay: TOLERANCE * variance,
        iterations: MAX_ITERATIONS,
      });
      const isFew = count <= FEW_MEMBERS * clusters;
      const { centers, assignment, inertias } = bestOf(isFew ? exchanged(shifted, settled) : settled, 1);
      return {
        assignment: assignment.squeeze(0).toDevice(points.device),
        centers: centers.squeeze(0).toDevice(points.device).to(points.dtype).add(origin),
        inertia: inertias.item(),
      };
    }),
  );
}

function bestOf({ centers, assignment, inertias }: Clusterings, number: number): Clusterings {
  const best = inertias.neg().topk(Math.min(number, inertias.size)).indices;
  const select = (tensor: Tensor) => tensor.indexSelect(0, best);
  return { centers: select(centers), assignment: select(assignment), inertias: select(inertias) };
}

/** The best starts, each bettered by single points. */
function exchanged(points: Tensor, settled: Clusterings): Clusterings {
  const { centers, assignment } = bestOf(settled, FINALISTS);
  return exchangePoints(points, assignment, { clusters: centers.shape[1], sweeps: MAX_SWEEPS });
}
