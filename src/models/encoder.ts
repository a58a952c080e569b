import type { Module } from '../nn/index.js';
import type { Tensor } from '../tensor/index.js';

export type Stage = (input: Tensor) => Tensor;

/** Enc of the papers: images to features. */
export interface Encoder extends Module {
  /** f_dim, the length of a feature vector */
  readonly featureDimension: number;
  /** (N, channels, height, width), normalized → (N, featureDimension), not negative */
  forward(images: Tensor): Tensor;
  /** `forward` in parts, one after another; what comes between two is a hidden representation (N, …). */
  stages(): readonly Stage[];
}
