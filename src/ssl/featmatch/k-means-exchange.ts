/**
 * K-means by single points (Hartigan and Wong 1979): a point goes to another cluster where that makes the inertia
 * smaller. With few points that is often so although every point is nearest to its own center, since a center follows
 * its members; so what cannot be bettered this way is better than what Lloyd's iterations leave.
 */

export interface Points {
  /** count · dimension numbers, point after point */
  readonly numbers: Float64Array;
  readonly count: number;
  readonly dimension: number;
}

/** A point has to better the inertia by this share of it, so that rounding cannot move points in circles. */
const LEAST_GAIN = 1e-9;
const MAX_SWEEPS = 20;

/** Changes the assignment in place. Clusters keep at least one member. @returns the inertia */
export function exchangePoints(points: Points, assignment: Int32Array, clusters: number): number {
  const { numbers, count, dimension } = points;
  const sizes = new Int32Array(clusters);
  const centers = new Float64Array(clusters * dimension);
  for (let i = 0; i < count; i++) {
    sizes[assignment[i]]++;
    for (let d = 0; d < dimension; d++) centers[assignment[i] * dimension + d] += numbers[i * dimension + d];
  }
  for (let c = 0; c < clusters; c++)
    for (let d = 0; d < dimension; d++) centers[c * dimension + d] /= Math.max(1, sizes[c]);

  const squaredDistance = (i: number, c: number) => {
    let sum = 0;
    for (let d = 0, p = i * dimension, q = c * dimension; d < dimension; d++, p++, q++) {
      const difference = numbers[p] - centers[q];
      sum += difference * difference;
    }
    return sum;
  };
  /** Takes point i out of cluster c (sign −1), or puts it in (sign 1). */
  const move = (i: number, c: number, sign: 1 | -1) => {
    sizes[c] += sign;
    for (let d = 0; d < dimension; d++) {
      const center = centers[c * dimension + d];
      centers[c * dimension + d] += (sign * (numbers[i * dimension + d] - center)) / sizes[c];
    }
  };
  const inertia = () => assignment.reduce((sum, c, i) => sum + squaredDistance(i, c), 0);

  const least = LEAST_GAIN * inertia();
  for (let sweep = 0, hasMoved = true; hasMoved && sweep < MAX_SWEEPS; sweep++) {
    hasMoved = false;
    for (let i = 0; i < count; i++) {
      const own = assignment[i];
      if (sizes[own] < 2) continue;
      const gain = (squaredDistance(i, own) * sizes[own]) / (sizes[own] - 1); // without it in its cluster
      let [best, smallest] = [own, gain - least];
      for (let c = 0; c < clusters; c++) {
        if (c === own) continue;
        const loss = (squaredDistance(i, c) * sizes[c]) / (sizes[c] + 1); // with it in cluster c
        if (loss < smallest) [best, smallest] = [c, loss];
      }
      if (best === own) continue;
      move(i, own, -1);
      move(i, best, 1);
      assignment[i] = best;
      hasMoved = true;
    }
  }
  return inertia();
}
