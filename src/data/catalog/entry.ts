/** What the catalog says of a data set. */
import type { Layout } from '../readers/index.js';

/** One file that a publisher serves. */
export interface CatalogFile {
  /** Its path on the server; on disk it has the last part of it. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  /** For a zip archive: the folder in it, which is unpacked; the archive itself is not kept. */
  readonly unpacksTo?: string;
  /** The domain that it belongs to, in a data set of several. */
  readonly domain?: string;
}

export interface CatalogEntry {
  readonly title: string;
  /** Under which terms it may be used, as its publisher says. */
  readonly terms: string;
  /** Their names, or how many there are where the files tell the names. */
  readonly classes: readonly string[] | number;
  /** Image size: height × width × channels. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Images of its two parts; of the usual target domain, if there are several. */
  readonly train: number;
  readonly test: number;
  /** How its files are named and read. */
  readonly layout: Layout;
  /** What `featmatch data fetch` gets. */
  readonly download?: {
    /** Where the publisher, or a mirror of it, serves the files; ends with a slash. */
    readonly baseUrl: string;
    readonly files: readonly CatalogFile[];
  };
  /** How else it can be had: what follows "get it by". */
  readonly obtain?: string;
  /** The folder below the cache, if it is shared with other data sets; otherwise the name of the data set. */
  readonly folder?: string;
  /** Where else the files may be on this machine, and the command that puts them there. */
  readonly installed?: {
    /** A folder, or the folder `data` of an npm package. */
    readonly place: { readonly folder: string } | { readonly npmPackage: string };
    readonly command: string;
  };
}

export const classCount = ({ classes }: CatalogEntry): number =>
  typeof classes === 'number' ? classes : classes.length;
