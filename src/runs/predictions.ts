/** Predictions as CSV (RFC 4180): one image a line, for spreadsheets and scripts. */
import { writeFileAtomically } from './atomic.js';

export interface Prediction {
  /** The file's path, or the index in the data set. */
  readonly image: string | number;
  /** Name of the class thought most probable. */
  readonly predicted: string;
  /** Its probability, 0…1. */
  readonly confidence: number;
}

/** @throws {InputError} where the file cannot be written */
export function writePredictions(path: string, predictions: Iterable<Prediction>): void {
  const lines = ['image,predicted,confidence'];
  for (const { image, predicted, confidence } of predictions) {
    lines.push([quote(String(image)), quote(predicted), confidence.toFixed(6)].join(','));
  }
  writeFileAtomically(path, `${lines.join('\r\n')}\r\n`);
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
