/** The reader of each layout that the files of data sets have. */
import { type CifarLayout, cifarReader } from './cifar.js';
import { type ClassFoldersLayout, classFoldersReader } from './class-folders.js';
import { type DomainsLayout, domainsReader } from './domains.js';
import { type IdxLayout, idxReader } from './idx.js';
import type { Reader } from './reader.js';
import { type SvhnLayout, svhnReader } from './svhn.js';

export type Layout = IdxLayout | CifarLayout | SvhnLayout | ClassFoldersLayout | DomainsLayout;

const READERS = {
  idx: idxReader,
  cifar: cifarReader,
  svhn: svhnReader,
  'class-folders': classFoldersReader,
  domains: domainsReader,
} as const satisfies { [Format in Layout['format']]: Reader<Extract<Layout, { format: Format }>> };

/** The reader of a layout; TypeScript cannot follow that the table pairs each with its own. */
export const readerOf = ({ format }: Layout): Reader<Layout> => READERS[format] as Reader<Layout>;
