/** The schema of metrics.jsonl: what each name in it means. An algorithm whose metrics have others adds them here. */

/** A part of what people look at together. */
export type MetricGroup = 'loss' | 'pseudo-labels' | 'accuracy' | 'training';

/** By name: what it goes with, and its meaning. Shares are 0…1. */
export const METRICS: Readonly<Record<string, { readonly group: MetricGroup; readonly meaning: string }>> = {
  loss: { group: 'loss', meaning: 'all of it, as it is minimized' },
  lossClf: { group: 'loss', meaning: 'labeled images' },
  lossCon: { group: 'loss', meaning: 'unlabeled images' },
  lossConG: { group: 'loss', meaning: 'unlabeled images, features augmented by AugF' },
  lossConF: { group: 'loss', meaning: 'unlabeled images, plain features' },
  lossExtra: { group: 'loss', meaning: "a method's own term, such as fairness" },
  lossEntropy: { group: 'loss', meaning: 'entropy of predictions' },
  lossStrong: { group: 'loss', meaning: 'a strong view before mixing' },
  lossRotation: { group: 'loss', meaning: 'telling angles of rotation' },
  confidence: { group: 'pseudo-labels', meaning: 'mean probability of the most probable class' },
  coverage: { group: 'pseudo-labels', meaning: 'mean weight: share that counts' },
  hiddenCorrect: { group: 'pseudo-labels', meaning: 'share that counts and is right: a diagnosis' },
  labeledAccuracy: { group: 'accuracy', meaning: 'labeled images of the batches' },
  testAccuracy: { group: 'accuracy', meaning: 'test images' },
  validationAccuracy: { group: 'accuracy', meaning: 'validation images' },
  learningRate: { group: 'training', meaning: 'of the last step' },
  seconds: { group: 'training', meaning: 'wall time of the training steps so far' },
};
