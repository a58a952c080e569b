import type { ImageList } from '../folder/list.js';
import type { LabeledImages } from '../formats/labeled-images.js';

/** Finds and reads the data sets whose files have one layout. */
export interface Reader<Layout> {
  /** The first file that the data set would need and the folder lacks, or null if it has all. */
  missing(folder: string, layout: Layout): string | null;
  /** @throws InputError if a file is damaged, or not of this data set */
  read(folder: string, set: SetToRead<Layout>): Pixels | ImageList;
}

/** What a reader must know of a data set; part of the catalog's entry. */
export interface SetToRead<Layout> {
  readonly layout: Layout;
  readonly classCount: number;
  readonly height: number;
  readonly width: number;
}

/** What files of pixels hold: the two parts, each in one or more pieces in order. */
export interface Pixels {
  readonly train: readonly LabeledImages[];
  readonly test: readonly LabeledImages[];
}
