/** The reader of each layout that the files of data sets have. */
import { type CifarLayout, cifarReader } from './cifar.js';
import { type IdxLayout, idxReader } from './idx.js';
import type { Reader } from './reader.js';
import { type SvhnLayout, svhnReader } from './svhn.js';

export type Layout = IdxLayout | CifarLayout | SvhnLayout;

const READERS = { idx: idxReader, cifar: cifarReader, svhn: svhnReader } as const satisfies {
  [Format in Layout['format']]: Reader<Extract<Layout, { format: Format }>>;
};

/** The reader of a layout; TypeScript cannot follow that the table pairs each with its own. */
export const readerOf = ({ format }: Layout): Reader<Layout> => READERS[format] as Reader<Layout>;
