import type { LabeledImages } from '../formats/labeled-images.js';

/** Finds and reads the data sets whose files have one layout. */
export interface Reader<Layout> {
  /** The first file that the data set would need and the folder lacks, or null if it has all. */
  missing(folder: string, layout: Layout): string | null;
  /**
   * Its two parts, each in one or more pieces in order.
   *
   * @throws InputError if a file is damaged, or not of this data set
   */
  read(folder: string, set: SetToRead<Layout>): Parts;
}

/** What a reader must know of a data set; part of the catalog's entry. */
export interface SetToRead<Layout> {
  readonly layout: Layout;
  readonly classes: readonly string[];
  readonly height: number;
  readonly width: number;
}

export interface Parts {
  readonly train: readonly LabeledImages[];
  readonly test: readonly LabeledImages[];
}
