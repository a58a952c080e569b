/**
 * How good pseudo-labels are, where the labels that training does not see are known. For people to look at alone: it
 * goes to the metrics, and nothing that is computed or chosen depends on it.
 */
import type { StepNumbers } from './learning.js';

/**
 * What to say of a batch, from its pseudo-labels and which training images they are of: `hiddenCorrect`, the share of the
 * images whose pseudo-label counts (by its weight) and is right, 0…1.
 */
export type Diagnose = (
  pseudoLabels: StepNumbers['pseudoLabels'],
  images: Int32Array,
) => Readonly<Record<string, number>>;

/**
 * @param labels of all training images, −1 = unknown
 * @param unlabeled those that training is not told the labels of
 * @returns says nothing of methods without pseudo-labels, nor where some of the hidden labels are unknown
 */
export function createDiagnosis(labels: Int32Array, unlabeled: Int32Array): Diagnose {
  const nothing: ReturnType<Diagnose> = {};
  if (!unlabeled.every((image) => labels[image] >= 0)) return () => nothing;
  return (pseudoLabels, images) => {
    if (pseudoLabels === undefined) return nothing;
    const { classes, weights } = pseudoLabels;
    const correct = weights.reduce(
      (sum, weight, i) => sum + (classes[i] === labels[images[i]] ? weight : 0),
      0,
    );
    return { hiddenCorrect: correct / weights.length };
  };
}
