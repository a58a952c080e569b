import { InputError } from '../../errors.js';

/** Images and labels of one file. */
export interface LabeledImages {
  /** count × height × width × channels, 0…255. */
  readonly images: Uint8Array;
  /** The class of each image. */
  readonly labels: Int32Array;
}

/** @throws InputError if a label is none of so many classes */
export function checkLabels(labels: Int32Array, classCount: number, path: string): void {
  const wrong = labels.findIndex((label) => label < 0 || label >= classCount);
  if (wrong >= 0) {
    throw new InputError(
      `${path}: image ${wrong} has label ${labels[wrong]}, but there are ${classCount} classes; get the file again`,
    );
  }
}
