import { concatenate, type Tensor } from '../tensor/index.js';

/** How many views of each kind are made of one image. */
export interface ViewCounts {
  readonly weak: number;
  readonly strong: number;
}

/** Views of the same images, one view of all after another: (views·count, C, H, W), normalized, channels-last. */
export interface Views {
  /** how many images */
  readonly count: number;
  /** all views, the weak ones first */
  readonly images: Tensor;
  /** the weak views alone */
  readonly weak: Tensor;
  /** the strong views alone */
  readonly strong: Tensor;
}

/** What one step learns from. Labels of the unlabeled images are not in it: no algorithm can see them. */
export interface Batch {
  /** class of each labeled image (B), int64 */
  readonly labels: Tensor;
  /** x of (6): B images */
  readonly labeled: Views;
  /** x and x̂ of (4) and (5): μB images */
  readonly unlabeled: Views;
  /**
   * Which of all unlabeled images each of the batch is, from 0 (μB), int64: for methods that remember something of each
   * image. Says nothing of its class.
   */
  readonly unlabeledIndices: Tensor;
}

/** The rows (N, …) of N images once for each of their views: (views·N, …). */
export function repeatPerView(rows: Tensor, views: number): Tensor {
  return views === 1 ? rows : concatenate(Array<Tensor>(views).fill(rows));
}
