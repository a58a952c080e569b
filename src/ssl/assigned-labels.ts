import type { Tensor } from '../tensor/index.js';
import type { AssignedLabels } from './algorithm.js';

/** The most probable classes of q (N, classes), which all count alike. */
export function allCount(q: Tensor): AssignedLabels {
  const confidence = q.amax(1);
  return { classes: q.argmax(1), confidence, weights: confidence.mul(0).add(1) };
}
