import { withFrozenStatistics } from '../nn/index.js';
import { concatenate, type Tensor, tensor, tidy } from '../tensor/index.js';

/**
 * A forward pass in `parts` batches, each of which takes every parts-th row: so labeled and unlabeled images are in each
 * in the same proportion, and so are they in the statistics by which it is normalized. Only the first moves the running
 * statistics (MixMatch, Berthelot et al. 2019, as its published code).
 *
 * @param rows (N, …), at least `parts` of them → the rows of `forward`, in the order of `rows`
 */
export function forwardInterleaved(forward: (rows: Tensor) => Tensor, rows: Tensor, parts: number): Tensor {
  return tidy(() => {
    const [count] = rows.shape;
    const place = new Int32Array(count); // of each row in the outputs
    let placed = 0;
    const outputs = Array.from({ length: parts }, (_, part) => {
      const chosen: number[] = [];
      for (let row = part; row < count; row += parts) {
        chosen.push(row);
        place[row] = placed++;
      }
      const batch = rows.indexSelect(0, indices(Int32Array.from(chosen)));
      return part === 0 ? forward(batch) : withFrozenStatistics(() => forward(batch));
    });
    return concatenate(outputs).indexSelect(0, indices(place));
  });
}

const indices = (rows: Int32Array) => tensor(rows).to('int64');
