/** CIFAR-10 and CIFAR-100, in their binary or their Python version, each as the archive or the folder it unpacks to. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseCifarBinary, parseCifarPickle } from '../formats/cifar.js';
import { damaged, readInputFile } from '../formats/file.js';
import { checkLabels, type LabeledImages } from '../formats/labeled-images.js';
import { readArchive } from '../formats/tar.js';
import type { Reader } from './reader.js';

export interface CifarLayout {
  readonly format: 'cifar';
  readonly variant: 'cifar-10' | 'cifar-100';
}

/** One of the versions that a data set comes in. */
interface Version {
  readonly archive: string;
  /** What the archive unpacks to. */
  readonly folder: string;
  readonly train: readonly string[];
  readonly test: readonly string[];
  parse(file: Uint8Array, path: string): LabeledImages;
}

const BATCHES = [1, 2, 3, 4, 5].map((number) => `data_batch_${number}`);

const VERSIONS: Readonly<Record<CifarLayout['variant'], readonly Version[]>> = {
  'cifar-10': [
    {
      archive: 'cifar-10-binary.tar.gz',
      folder: 'cifar-10-batches-bin',
      train: BATCHES.map((name) => `${name}.bin`),
      test: ['test_batch.bin'],
      parse: (file, path) => parseCifarBinary(file, path, 1),
    },
    {
      archive: 'cifar-10-python.tar.gz',
      folder: 'cifar-10-batches-py',
      train: BATCHES,
      test: ['test_batch'],
      parse: (file, path) => parseCifarPickle(file, path, 'labels'),
    },
  ],
  'cifar-100': [
    {
      archive: 'cifar-100-binary.tar.gz',
      folder: 'cifar-100-binary',
      train: ['train.bin'],
      test: ['test.bin'],
      parse: (file, path) => parseCifarBinary(file, path, 2),
    },
    {
      archive: 'cifar-100-python.tar.gz',
      folder: 'cifar-100-python',
      train: ['train'],
      test: ['test'],
      parse: (file, path) => parseCifarPickle(file, path, 'fine_labels'),
    },
  ],
};

export const cifarReader: Reader<CifarLayout> = {
  missing: (folder, { variant }) => (find(folder, variant) === null ? VERSIONS[variant][0].archive : null),

  read(folder, { layout: { variant }, classCount }) {
    const { version, place, isArchive } = find(folder, variant) as Found;
    const files = isArchive ? readArchive(readInputFile(place), place) : null;
    const piece = (name: string): LabeledImages => {
      const path = isArchive ? `${place}: ${version.folder}/${name}` : join(place, name);
      const file = files === null ? readInputFile(path) : files.get(`${version.folder}/${name}`);
      if (file === undefined) throw damaged(path, 'not in the archive');
      const parsed = version.parse(file, path);
      checkLabels(parsed.labels, classCount, path);
      return parsed;
    };
    return { train: version.train.map(piece), test: version.test.map(piece) };
  },
};

interface Found {
  readonly version: Version;
  /** The archive, or the folder with its files. */
  readonly place: string;
  readonly isArchive: boolean;
}

/** The first version that is there, unpacked or packed. The folder may itself be the unpacked one. */
function find(folder: string, variant: CifarLayout['variant']): Found | null {
  for (const version of VERSIONS[variant]) {
    const names = [...version.train, ...version.test];
    for (const place of [join(folder, version.folder), folder]) {
      if (names.every((name) => existsSync(join(place, name)))) return { version, place, isArchive: false };
    }
    const archive = join(folder, version.archive);
    if (existsSync(archive)) return { version, place: archive, isArchive: true };
  }
  return null;
}
