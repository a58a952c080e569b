/**
 * Prototype selection (Kuo et al. 2020, section 3.1): K-means per class on the features recorded while training.
 * How many come from labeled and from pseudo-labeled features, and which pseudo-labels count, follows the published
 * code.
 */
import { concatenate, type Generator, noGrad, type Tensor, tensor, tidy } from '../../tensor/index.js';
import { kMeans } from './k-means.js';

export interface PrototypeOptions {
  readonly classes: number;
  /** p_k, prototypes of each class */
  readonly prototypesPerClass: number;
  /** share of them that is made from labeled features */
  readonly labeledRatio: number;
  readonly generator: Generator;
}

export interface LabeledFeatures {
  /** (N, f_dim) */
  readonly features: Tensor;
  /** class of each row */
  readonly labels: ArrayLike<number>;
}

export interface RecordedFeatures {
  /** (M, f_dim) */
  readonly features: Tensor;
  /** pseudo-label of each row, not sharpened (M, classes) */
  readonly probabilities: Tensor;
}

export interface Prototypes {
  /** f_p (P, f_dim) */
  readonly features: Tensor;
  /** class of each row */
  readonly labels: Int32Array;
  /** whether a row was made from labeled features */
  readonly fromLabeled: boolean[];
}

const FIRST_THRESHOLD = 0.5;
const HALVINGS = 5;

/**
 * Prototypes of every class. A pseudo-labeled feature counts when its greatest probability exceeds a threshold that
 * starts at 0.5 and halves, at most five times, until every class has more than p_k; if that fails, or nothing was
 * recorded, all come from the labeled features.
 * @throws Error where a class has no labeled feature
 */
export function selectPrototypes(
  labeled: LabeledFeatures,
  recorded: RecordedFeatures | null,
  options: PrototypeOptions,
): Prototypes {
  const { classes, prototypesPerClass, labeledRatio, generator } = options;
  return noGrad(() =>
    tidy(() => {
      const confident = recorded === null ? null : confidentRows(recorded, classes, prototypesPerClass);
      const labeledCount =
        confident === null ? prototypesPerClass : Math.round(prototypesPerClass * labeledRatio);
      const features: Tensor[] = [];
      const labels: number[] = [];
      const fromLabeled: boolean[] = [];
      const add = (centers: Tensor, label: number, isLabeled: boolean) => {
        features.push(centers);
        const [count] = centers.shape;
        labels.push(...Array<number>(count).fill(label));
        fromLabeled.push(...Array<boolean>(count).fill(isLabeled));
      };
      const labeledRows = rowsByClass(labeled.labels, classes);
      labeledRows.forEach((rows, label) => {
        if (rows.length === 0) throw new Error(`class ${label} has no labeled image to make prototypes from`);
        if (labeledCount > 0)
          add(meanAndCenters(select(labeled.features, rows), labeledCount, generator), label, true);
        const others = confident?.[label];
        if (recorded !== null && others !== undefined && prototypesPerClass > labeledCount) {
          const centers = meanAndCenters(
            select(recorded.features, others),
            prototypesPerClass - labeledCount,
            generator,
          );
          add(centers, label, false);
        }
      });
      return { features: concatenate(features), labels: Int32Array.from(labels), fromLabeled };
    }),
  );
}

/** The rows of each class whose pseudo-label is confident enough, or null where some class has too few. */
function confidentRows(
  { probabilities }: RecordedFeatures,
  classes: number,
  enough: number,
): number[][] | null {
  const confidence = probabilities.amax(1).data() as Float32Array;
  const pseudoLabels = probabilities.argmax(1).to('int32').data() as Int32Array;
  for (let halving = 0, threshold = FIRST_THRESHOLD; halving <= HALVINGS; halving++, threshold /= 2) {
    const rows = rowsByClass(pseudoLabels, classes, (row) => confidence[row] > threshold);
    if (rows.every(({ length }) => length > enough)) return rows;
  }
  return null;
}

function rowsByClass(
  labels: ArrayLike<number>,
  classes: number,
  counts = (_row: number) => true,
): number[][] {
  const rows: number[][] = Array.from({ length: classes }, () => []);
  for (let row = 0; row < labels.length; row++) if (counts(row)) rows[labels[row]].push(row);
  return rows;
}

function select(features: Tensor, rows: readonly number[]): Tensor {
  return features.indexSelect(0, tensor(Int32Array.from(rows)).to('int64'));
}

/**
 * `count` representatives of features (N, f_dim): their mean and count − 1 centers of K-means on the features scaled
 * to length 1, each the mean of its members as they are. With no more features than asked for, the features themselves.
 */
function meanAndCenters(features: Tensor, count: number, generator: Generator): Tensor {
  return tidy(() => {
    const [available] = features.shape;
    if (available <= count) return features;
    const mean = features.mean([0], true);
    if (count === 1) return mean;
    const directions = features.div(features.norm([1], true).clamp(1e-12, null));
    const { assignment } = kMeans(directions, { clusters: count - 1, generator });
    const cluster = assignment.to('int32').data() as Int32Array;
    const members = rowsByClass(cluster, count - 1).filter(({ length }) => length > 0);
    return concatenate([mean, ...members.map((rows) => select(features, rows).mean([0], true))]);
  });
}
