import { describe, expect, it } from 'vitest';
import { createDiagnosis } from './diagnosis.js';

const LABELS = Int32Array.of(0, 1, 2, 0, 1, -1);
const pseudoLabels = {
  classes: Int32Array.of(1, 2, 1),
  confidence: Float32Array.of(0.9, 0.8, 0.7),
  weights: Float32Array.of(1, 0.5, 0.25),
};
const IMAGES = Int32Array.of(1, 2, 3); // the last one is of class 0

describe('the diagnosis of pseudo-labels', () => {
  it('is the share that counts and is right, by weight', () => {
    const diagnose = createDiagnosis(LABELS, Int32Array.of(1, 2, 3, 4));
    expect(diagnose(pseudoLabels, IMAGES)).toEqual({ hiddenCorrect: 1.5 / 3 });
  });

  it('says nothing where a hidden label is unknown, or there are no pseudo-labels', () => {
    expect(createDiagnosis(LABELS, Int32Array.of(1, 2, 3, 5))(pseudoLabels, IMAGES)).toEqual({});
    expect(createDiagnosis(LABELS, Int32Array.of(1, 2))(undefined, IMAGES)).toEqual({});
  });
});
