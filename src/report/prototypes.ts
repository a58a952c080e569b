/** What the prototypes of a run are like: the training images nearest to each, and where they lie among features. */
import type { ImageDataset, ImageSet } from '../data/dataset.js';
import { type Tensor, tensor, tidy } from '../tensor/index.js';
import { featuresOf, type Model } from '../train/index.js';
import type { MapPoint } from './charts.js';

export interface PrototypeFindings {
  readonly prototypes: readonly Prototype[];
  /** training images that were looked at */
  readonly searched: number;
  /** places on the plane of the prototypes' first two principal components */
  readonly map: {
    readonly prototypes: readonly MapPoint[];
    readonly images: readonly MapPoint[];
    /** share of the prototypes' variance that the plane shows, 0…1 */
    readonly variance: number;
  };
}

export interface Prototype {
  readonly label: number;
  /** that of the searched training images whose feature has the greatest cosine with it */
  readonly image: number;
  readonly similarity: number;
}

export interface PrototypeOptions {
  /** training images to search for the nearest ones */
  readonly training: { readonly images: ImageSet; readonly indices: Int32Array };
  /** labeled images to draw into the map; null for none */
  readonly drawn: { readonly images: ImageDataset; readonly indices: Int32Array } | null;
}

/** Null where the algorithm has no prototypes, or made none yet. */
export async function examinePrototypes(
  { learning, description }: Model,
  { training, drawn }: PrototypeOptions,
): Promise<PrototypeFindings | null> {
  const { normalization } = description;
  const found = tidy(() => {
    const own = learning.prototypes();
    return own && { rows: own.features.data() as Float32Array, labels: own.labels };
  });
  if (found === null) return null;
  const { rows, labels } = found;
  const shape = [labels.length, rows.length / labels.length];
  const ofTraining = await featuresOf(learning, training.images, {
    normalization,
    indices: training.indices,
  });
  const ofDrawn =
    drawn && (await featuresOf(learning, drawn.images, { normalization, indices: drawn.indices }));
  return tidy(() => {
    const prototypes = tensor(rows, shape);
    const { plane, center, variance } = principalPlane(prototypes);
    const onMap = (features: Tensor, label: (row: number) => number): MapPoint[] => {
      const places = features.sub(center).matmul(plane).numbers(); // (N, 2)
      return Array.from({ length: features.shape[0] }, (_, row) => ({
        x: places[2 * row],
        y: places[2 * row + 1],
        label: label(row),
      }));
    };
    return {
      prototypes: nearest(prototypes, matrix(ofTraining)).map(({ row, similarity }, i) => ({
        label: labels[i],
        image: training.indices[row],
        similarity,
      })),
      searched: training.indices.length,
      map: {
        prototypes: onMap(prototypes, (row) => labels[row]),
        images:
          drawn && ofDrawn ? onMap(matrix(ofDrawn), (row) => drawn.images.labels[drawn.indices[row]]) : [],
        variance,
      },
    };
  });
}

/** Rows (N, D) of numbers as a tensor. */
function matrix(rows: readonly Float32Array[]): Tensor {
  const [{ length }] = rows;
  const data = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    data.set(row, i * length);
  });
  return tensor(data, [rows.length, length]);
}

/** For each prototype (P, D) the row of the features (N, D) that has the greatest cosine with it. */
function nearest(prototypes: Tensor, features: Tensor): { row: number; similarity: number }[] {
  const cosines = unit(prototypes).matmul(unit(features).transpose(0, 1)); // (P, N)
  const rows = cosines.argmax(1).numbers();
  return cosines
    .amax(1)
    .numbers()
    .map((similarity, i) => ({ row: rows[i], similarity }));
}

/** Rows of length 1. */
function unit(rows: Tensor): Tensor {
  return rows.div(rows.norm([1], true).clamp(1e-12, null));
}

/** The plane (D, 2) through the mean (D) of rows (P, D) on which they differ most, and its share of their variance. */
function principalPlane(rows: Tensor): { plane: Tensor; center: Tensor; variance: number } {
  const center = rows.mean([0]);
  const centered = rows.sub(center).to('float64');
  const { values, vectors } = centered.transpose(0, 1).matmul(centered).eigh(); // rising
  const [dimension] = values.shape;
  const total = values.sum().item();
  return {
    plane: vectors.narrow(1, dimension - 2, 2).to('float32'),
    center,
    variance:
      total === 0
        ? 0
        : values
            .narrow(0, dimension - 2, 2)
            .sum()
            .item() / total,
  };
}
