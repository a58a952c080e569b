import { concatenate, noGrad, sumEachInPlace, type Tensor, tidy } from '../../tensor/index.js';

/** Bytes that go between processes at once: of these buffers two are under way together, each of a size that caches hold. */
const BUCKET_BYTES = 1e6;

/** Each of the tensors, which have one element type, becomes its mean over so many processes. They travel flattened, many in one. */
export function averageInPlace(tensors: readonly Tensor[], processes: number): void {
  noGrad(() =>
    tidy(() => {
      const buckets = bucketsOf(tensors);
      const flat = buckets.map((bucket) => concatenate(bucket.map((tensor) => tensor.reshape(-1))));
      sumEachInPlace(flat);
      flat.forEach((sums, i) => {
        const means = sums.mulInPlace(1 / processes).split(buckets[i].map(({ size }) => size));
        buckets[i].forEach((tensor, j) => {
          tensor.copyInPlace(means[j].reshape(...tensor.shape));
        });
      });
    }),
  );
}

/** Consecutive tensors, each bucket as full as it gets. */
function bucketsOf(tensors: readonly Tensor[]): Tensor[][] {
  const buckets: Tensor[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const bytes = tensor.size * 4;
    if (bytes > room) {
      buckets.push([]);
      room = BUCKET_BYTES;
    }
    buckets[buckets.length - 1].push(tensor);
    room -= bytes;
  }
  return buckets;
}
