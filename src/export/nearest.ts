/** Which training image each prototype is like. */
import type { ImageSet } from '../data/dataset.js';
import type { Session } from '../infer/session.js';
import { type Tensor, tensor, tidy } from '../tensor/index.js';
import { runImages } from './batches.js';
import type { Weight } from './graph.js';

export interface NearestImage {
  /** index into the set */
  readonly image: number;
  /** cosine of its feature and the prototype */
  readonly similarity: number;
}

/** For each prototype (P, f_dim) the image whose feature has the greatest cosine with it; of equal ones the first. */
export async function nearestImages(
  session: Session,
  prototypes: Weight,
  options: { images: ImageSet; indices: Int32Array; onProgress?(done: number): void },
): Promise<NearestImage[]> {
  const [count, dimension] = prototypes.shape;
  const best = Array.from({ length: count }, () => ({ image: -1, similarity: Number.NEGATIVE_INFINITY }));
  for await (const part of runImages(session, 'features', options)) {
    const { similarities, places } = tidy(() => {
      const cosines = normalize(tensor(prototypes.data, [count, dimension])).matmul(
        normalize(tensor(part.values, [part.count, dimension])).transpose(0, 1),
      ); // (P, n)
      return {
        similarities: cosines.amax(1).data() as Float32Array,
        places: cosines.argmax(1).to('int32').data() as Int32Array,
      };
    });
    similarities.forEach((similarity, prototype) => {
      if (similarity > best[prototype].similarity) {
        best[prototype] = { image: options.indices[part.start + places[prototype]], similarity };
      }
    });
    options.onProgress?.(part.start + part.count);
  }
  return best;
}

/** Rows of length 1. */
function normalize(rows: Tensor): Tensor {
  return rows.div(rows.norm([1], true).clamp(1e-12, null));
}
