// Damaged and hostile files: each gives a parsed data set or one clear error, soon, and in memory that its length
// justifies. FUZZ=100000 says how many damaged files (`npm run fuzz`).
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  cifarPickle,
  idxFile,
  MAT_HEADER,
  matArray,
  matElement,
  tarFile,
} from '../../../test/support/data-files.js';
import { readFixture } from '../../../test/support/fixtures.js';
import { canMeasureMemory, peakMemory } from '../../../test/support/memory.js';
import { mutate } from '../../../test/support/mutations.js';
import { InputError } from '../../errors.js';
import { randomStream } from '../../image/random.js';
import { parseCifarBinary, parseCifarPickle } from './cifar.js';
import { classNames, parseDomainList } from './domain-list.js';
import { parseIdx } from './idx.js';
import { parseImageList } from './image-list.js';
import { readPickle } from './pickle.js';
import { parseSplitCsv } from './split-csv.js';
import { parseSvhn } from './svhn.js';
import { readArchive, readTar } from './tar.js';

const FILES = Number(process.env.FUZZ ?? 3000);
const SEED = 1;
/** Damaged small files whose memory is measured together. */
const LOT = 1000;
const MOST_SECONDS = 5;
/** Beyond ten times the file: what a small compressed file may unpack to, and what the process itself takes. */
const ALLOWANCE = 6 * 2 ** 20;
const LARGE = 600; // images; 1.8 MB

const noise = (length: number, seed: number): Buffer => {
  const random = randomStream(SEED, seed);
  return Buffer.from(Uint8Array.from({ length }, () => random.integer(256)));
};
const lines = (count: number, line: (i: number) => string): Buffer =>
  Buffer.from(Array.from({ length: count }, (_, i) => line(i)).join(''));
const digits = Array.from({ length: LARGE }, (_, i) => i % 10);

const [batch] = readTar(gunzipSync(readFixture('data/cifar/cifar-10-python.tar.gz')), 'tar');
const [records] = readTar(gunzipSync(readFixture('data/cifar/cifar-10-binary.tar.gz')), 'tar');
const largePixels = noise(LARGE * 3072, 1);
const largeRecords = noise(LARGE * 3073, 2);
const largePickle = cifarPickle(largePixels, digits);
const x = matArray({ name: 'X', shape: [32, 32, 3, LARGE], values: largePixels });
const y = matArray({ name: 'y', shape: [LARGE, 1], values: Buffer.from(digits.map((digit) => digit + 1)) });
const matFile = (...arrays: Buffer[]) =>
  Buffer.concat([MAT_HEADER, ...arrays.map((array) => matElement(15, deflateSync(array)))]);

interface Target {
  readonly parse: (file: Buffer) => unknown;
  /** Good files of a few kilobytes. */
  readonly small: readonly Uint8Array[];
  /** A good file of about 2 MB, with the content of a real one. */
  readonly large: Buffer;
  /** Damages what is inside a compressed file. */
  readonly inside?: (file: Buffer, damage: (content: Buffer) => Buffer) => Buffer;
  /** Files of which much could be made. */
  readonly hostile: Readonly<Record<string, () => Buffer>>;
}

const insideGzip: Target['inside'] = (file, damage) =>
  file[0] === 0x1f ? gzipSync(damage(gunzipSync(file))) : damage(file);

/** Damages the first array, where it is compressed. */
const insideMat: Target['inside'] = (file, damage) => {
  if (file.readUInt32LE(128) !== 15) return damage(file);
  const end = 136 + file.readUInt32LE(132);
  const array = deflateSync(damage(inflateSync(file.subarray(136, end))));
  return Buffer.concat([file.subarray(0, 128), matElement(15, array), file.subarray(end)]);
};

const MEGABYTE = 2 ** 20;
const zeros = (megabytes: number): Buffer => Buffer.alloc(megabytes * MEGABYTE);
const repeated = (text: string): Buffer => Buffer.alloc(2 * MEGABYTE, text, 'latin1');

const targets: Readonly<Record<string, Target>> = {
  'IDX images': {
    parse: (file) => parseIdx(file, { path: 'file', dimensions: 3, content: 'images' }),
    small: [
      idxFile([3, 4, 5]),
      gzipSync(idxFile([3, 4, 5])),
      readFixture('data/idx/t10k-images-idx3-ubyte.gz'),
    ],
    large: gzipSync(idxFile([2000, 28, 28], noise(2000 * 784, 3))),
    inside: insideGzip,
    hostile: {
      'a bomb that says so': () => gzipSync(idxFile([255, 1024, 1024])),
      'a bomb that does not': () => gzipSync(Buffer.concat([idxFile([1, 2, 2]), zeros(200)])),
    },
  },
  'IDX labels': {
    parse: (file) => parseIdx(file, { path: 'file', dimensions: 1, content: 'labels' }),
    small: [idxFile([9]), readFixture('data/idx/t10k-labels-idx1-ubyte.gz')],
    large: idxFile([2 * MEGABYTE], noise(2 * MEGABYTE, 4)),
    inside: insideGzip,
    hostile: { 'a bomb that says so': () => gzipSync(idxFile([200 * MEGABYTE])) },
  },
  'CIFAR, binary': {
    parse: (file) => parseCifarBinary(file, 'file', 1),
    small: [records.data],
    large: largeRecords,
    hostile: {},
  },
  'CIFAR, pickle': {
    parse: (file) => parseCifarPickle(file, 'file', 'labels'),
    small: [batch.data, cifarPickle(noise(3072, 5), [3])],
    large: largePickle,
    hostile: {
      'lists in lists': () => repeated(']'),
      dictionaries: () => repeated('}'),
      marks: () => repeated('('),
      nothings: () => repeated('N'),
      'a list of nothings': () => repeated(`](${'N'.repeat(4000)}e`),
      'remembered values': () => Buffer.concat([Buffer.from('N'), repeated('q\x00')]),
      'short strings': () => repeated('U\x02ab'),
      'calls of an array': () => repeated('cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R'),
    },
  },
  'CIFAR, archive': {
    parse: (file) =>
      Array.from(readArchive(file, 'file'), ([name, data]) =>
        name.endsWith('.bin') ? parseCifarBinary(data, 'file', 1) : readPickle(data, 'file'),
      ),
    small: ['cifar-10-binary', 'cifar-10-python', 'cifar-100-python'].map((name) =>
      readFixture(`data/cifar/${name}.tar.gz`),
    ),
    large: gzipSync(tarFile({ 'a/data_batch_1.bin': largeRecords })),
    inside: insideGzip,
    hostile: {
      'a bomb': () => gzipSync(zeros(300)),
      'a bomb in two pieces': () => Buffer.concat([gzipSync(zeros(150)), gzipSync(Buffer.alloc(9))]),
      'empty files': () =>
        tarFile(Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`${i}.txt`, new Uint8Array()]))),
    },
  },
  SVHN: {
    parse: (file) => parseSvhn(file, 'file'),
    small: ['train_32x32', 'test_32x32', 'extra_32x32'].map((name) => readFixture(`data/svhn/${name}.mat`)),
    large: matFile(x, y),
    inside: insideMat,
    hostile: {
      'a bomb that says so': () =>
        matFile(matArray({ name: 'X', shape: [200 * MEGABYTE], values: zeros(200) })),
      'a bomb that does not': () =>
        Buffer.concat([
          MAT_HEADER,
          matElement(15, deflateSync(Buffer.concat([matElement(14, zeros(0), 64), zeros(200)]))),
        ]),
      'many bombs': () =>
        matFile(
          ...Array(90).fill(matArray({ name: 'X', shape: [MEGABYTE - 99], values: zeros(1).subarray(99) })),
        ),
      'floating-point numbers': () =>
        Buffer.concat([
          MAT_HEADER,
          matArray({ name: 'y', shape: [MEGABYTE / 4], values: zeros(2), type: 9 }),
        ]),
    },
  },
  'domain lists': {
    parse: (file) => classNames([parseDomainList(file, 'file')]),
    small: [Buffer.from('real/apple/real_001_000001.jpg 0\nreal/bee/real_002_000002.jpg 1\n')],
    large: lines(40_000, (i) => `real/class_${i % 345}/real_${i % 345}_${i}.jpg ${i % 345}\n`),
    hostile: {
      'a line without end': () => repeated('a/'),
      newlines: () => repeated('\n'),
      'a class for each image': () => lines(80_000, (i) => `real/class ${i}/image.jpg ${i}\n`),
    },
  },
  'lists of a split': {
    parse: (file) => parseSplitCsv(file, 'file'),
    small: [
      Buffer.from('filename,label\nn0153282900000005.jpg,n01532829\nn0155899300000031.jpg,n01558993\n'),
    ],
    large: Buffer.concat([
      Buffer.from('filename,label\n'),
      lines(50_000, (i) => `n0${i % 100}0000${i}.jpg,n01532${i % 100}\n`),
    ]),
    hostile: { commas: () => Buffer.concat([Buffer.from('filename,label\n'), repeated(',')]) },
  },
  'own lists, CSV': {
    parse: (file) => parseImageList(file, 'file.csv'),
    small: [Buffer.from('path,label,split\r\n"a, b.jpg",cat,\nc.jpg,,train\nd.jpg,dog,test\n')],
    large: Buffer.concat([
      Buffer.from('path,label,split\n'),
      lines(40_000, (i) => `photos/summer/IMG_${i}.jpg,class ${i % 10},train\n`),
    ]),
    hostile: {
      commas: () => repeated(','),
      quotes: () => repeated('"'),
      columns: () => Buffer.concat([Buffer.from('path'), repeated(',a')]),
    },
  },
  'own lists, JSON Lines': {
    parse: (file) => parseImageList(file, 'file.jsonl'),
    small: [
      Buffer.from(
        '{"path":"a.jpg","label":7}\n\n{"path":"b.jpg","label":"8","split":"test"}\n{"path":"c.jpg"}\n',
      ),
    ],
    large: lines(40_000, (i) => `{"path":"photos/IMG_${i}.jpg","label":"class ${i % 10}"}\n`),
    hostile: { brackets: () => repeated('['), objects: () => repeated('{"a":') },
  },
};

/** Parses a file that may be anything. */
function check(parse: Target['parse'], file: Buffer): 'parsed' | 'refused' {
  const start = performance.now();
  let outcome: 'parsed' | 'refused' = 'parsed';
  try {
    parse(file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    if (!/^file[^\n]{1,900}$/.test(error.message))
      throw new Error(`not one clear sentence: ${error.message}`);
    outcome = 'refused';
  }
  const seconds = (performance.now() - start) / 1000;
  if (seconds > MOST_SECONDS) throw new Error(`took ${seconds} s`);
  return outcome;
}

/** Damaged versions of a file: number i is the same for the same seed. */
function damaged({ inside }: Target, file: Uint8Array, number: number): Buffer {
  const random = randomStream(SEED, number);
  const damage = (content: Buffer) => mutate(content, random);
  return inside && random.integer(2) === 0 ? inside(Buffer.from(file), damage) : damage(Buffer.from(file));
}

async function expectFrugal(parse: Target['parse'], file: Buffer): Promise<void> {
  if (!canMeasureMemory) return void check(parse, file);
  const peak = await peakMemory(() => check(parse, file));
  expect(peak).toBeLessThan(10 * file.length + ALLOWANCE);
}

describe.each(Object.entries(targets))('%s', (_, target) => {
  const { parse, small, large, hostile } = target;
  const count = Math.ceil(FILES / Object.keys(targets).length);

  test('the files that are damaged below are good ones', async () => {
    for (const file of [...small, large]) expect(check(parse, Buffer.from(file))).toBe('parsed');
    await expectFrugal(parse, large);
  });

  test(`${count} small files, damaged`, async () => {
    const outcomes = { parsed: 0, refused: 0 };
    const readLot = (first: number) => () => {
      for (let number = first; number < Math.min(first + LOT, count); number++) {
        const file = damaged(target, small[number % small.length], number);
        try {
          outcomes[check(parse, file)]++;
        } catch (error) {
          throw new Error(`file number ${number} of seed ${SEED}: ${file.toString('base64')}`, {
            cause: error,
          });
        }
      }
    };
    for (let first = 0; first < count; first += LOT) {
      if (!canMeasureMemory) readLot(first)();
      else expect(await peakMemory(readLot(first))).toBeLessThan(200 * MEGABYTE); // garbage included
    }
    expect(outcomes.refused).toBeGreaterThan(0);
  });

  test('large files, damaged, in memory of at most ten times their length', async () => {
    for (let number = 0; number < Math.max(2, FILES / 5000); number++) {
      await expectFrugal(parse, damaged(target, large, number));
    }
  });

  const cases = Object.entries(hostile);
  test.runIf(cases.length > 0).each(cases)('hostile: %s', async (_, make) => {
    const file = make();
    await expectFrugal(parse, file);
  });
});
