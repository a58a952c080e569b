/** What class probabilities of labeled images tell of a model: where it is right, how sure it is, and where it errs. */
import { type Evaluation, mostProbable, tally } from '../train/index.js';

export interface Findings extends Pick<Evaluation, 'images' | 'accuracy' | 'confusion'> {
  readonly calibration: Calibration;
  /** wrong ones, the most confident first */
  readonly mistakes: readonly Mistake[];
}

export interface Calibration {
  /** expected calibration error, 0…1 */
  readonly error: number;
  readonly meanConfidence: number;
  /** equally wide in confidence, from 0 to 1 */
  readonly bins: readonly CalibrationBin[];
}

export interface CalibrationBin {
  readonly images: number;
  /** means over its images, 0…1; null of none */
  readonly confidence: number | null;
  readonly accuracy: number | null;
}

export interface Mistake {
  /** index into the set that the images are of */
  readonly image: number;
  readonly label: number;
  readonly predicted: number;
  readonly confidence: number;
}

const BINS = 15; // as Guo et al.

/**
 * @param rows class probabilities of each image @param indices the images @param labels of the set that they index
 */
export function findingsOf(
  rows: readonly Float32Array[],
  { indices, labels, classes }: { indices: Int32Array; labels: Int32Array; classes: number },
): Findings {
  const guesses = rows.map((row, i): Mistake => {
    const predicted = mostProbable(row);
    return { image: indices[i], label: labels[indices[i]], predicted, confidence: row[predicted] };
  });
  return {
    images: guesses.length,
    ...tally(guesses, classes),
    calibration: calibrationOf(guesses),
    mistakes: guesses
      .filter(({ label, predicted }) => label !== predicted)
      .sort((a, b) => b.confidence - a.confidence),
  };
}

/**
 * Σ_m |B_m|/n · |acc(B_m) − conf(B_m)| over bins B_m of confidence (Guo et al., On calibration of modern neural networks,
 * ICML 2017, equation 3).
 */
export function calibrationOf(
  guesses: readonly Pick<Mistake, 'label' | 'predicted' | 'confidence'>[],
): Calibration {
  const bins = Array.from({ length: BINS }, (_, number): CalibrationBin => {
    const inside = guesses.filter(
      ({ confidence }) => Math.min(Math.floor(confidence * BINS), BINS - 1) === number,
    );
    const mean = (of: (guess: (typeof guesses)[number]) => number) =>
      inside.length === 0 ? null : inside.reduce((sum, guess) => sum + of(guess), 0) / inside.length;
    return {
      images: inside.length,
      confidence: mean(({ confidence }) => confidence),
      accuracy: mean(({ label, predicted }) => Number(label === predicted)),
    };
  });
  const total = guesses.length;
  const error = bins.reduce(
    (sum, { images, accuracy, confidence }) =>
      sum + (images / total) * Math.abs((accuracy ?? 0) - (confidence ?? 0)),
    0,
  );
  const meanConfidence = guesses.reduce((sum, { confidence }) => sum + confidence, 0) / total;
  return { error, meanConfidence, bins };
}
