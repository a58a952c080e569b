/** What the catalog says of a data set. */
import type { Layout } from '../readers/index.js';

/** One file that a publisher serves. */
export interface CatalogFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** For a zip archive: the folder in it, which is unpacked; the archive itself is not kept. */
  readonly unpacksTo?: string;
}

export interface CatalogEntry {
  readonly title: string;
  /** Under which terms it may be used, as its publisher says. */
  readonly terms: string;
  readonly classes: readonly string[];
  /** Image size: height × width × channels. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Images of its two parts. */
  readonly train: number;
  readonly test: number;
  /** How its files are named and read. */
  readonly layout: Layout;
  /** What `featmatch data fetch` gets. */
  readonly download: {
    /** Where the publisher, or a mirror of it, serves the files; ends with a slash. */
    readonly baseUrl: string;
    readonly files: readonly CatalogFile[];
  };
  /** The folder below the cache, if it is shared with other data sets; otherwise the name of the data set. */
  readonly folder?: string;
  /** Where else the files may be on this machine, and the command that puts them there. */
  readonly installed?: {
    /** A folder, or the folder `data` of an npm package. */
    readonly place: { readonly folder: string } | { readonly npmPackage: string };
    readonly command: string;
  };
}
