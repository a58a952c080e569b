import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { idxFile } from '../../../test/support/data-files.js';
import { fixturePath } from '../../../test/support/fixtures.js';
import { InputError } from '../../errors.js';
import { parseIdx, readIdxImages, readIdxLabels } from './idx.js';

const fixture = (name: string): string => fixturePath(`data/idx/${name}`);

const images = { path: 'images.idx', dimensions: 3, content: 'images' };
const labels = { path: 'labels.idx', dimensions: 1, content: 'labels' };

describe('IDX files', () => {
  test('of another writer are read, plain', () => {
    const { shape, data } = readIdxImages(fixture('train-images-idx3-ubyte'));
    expect(shape).toEqual([6, 28, 28]);
    expect([...data]).toEqual(
      Array.from({ length: 6 * 28 * 28 }, (_, i) => (i * 31 + Math.floor(i / 97)) % 256),
    );
    expect([...readIdxLabels(fixture('train-labels-idx1-ubyte')).data]).toEqual([3, 0, 9, 3, 5, 1]);
  });

  test('of another writer are read, compressed', () => {
    const compressed = readIdxImages(fixture('t10k-images-idx3-ubyte.gz'));
    expect(compressed).toEqual(readIdxImages(fixture('train-images-idx3-ubyte')));
    expect([...readIdxLabels(fixture('t10k-labels-idx1-ubyte.gz')).data]).toEqual([3, 0, 9, 3, 5, 1]);
  });

  test('are recognised as compressed by content, not by name', () => {
    expect(parseIdx(gzipSync(idxFile([2, 1, 3])), images).shape).toEqual([2, 1, 3]);
  });

  test('may be empty', () => {
    for (const file of [idxFile([0]), gzipSync(idxFile([0]))]) {
      const { shape, data } = parseIdx(file, labels);
      expect([shape, data.length]).toEqual([[0], 0]);
    }
  });
});

describe('a malformed IDX file is refused with its name and the place', () => {
  const good = idxFile([2, 2, 2]);
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(good);
    copy[at] = value;
    return copy;
  };
  const zipped = gzipSync(good);

  test.each<[string, Uint8Array, RegExp]>([
    ['an empty file', Buffer.alloc(0), /two zero bytes/],
    ['another kind of file', Buffer.from('<html>not found</html>'), /two zero bytes.*byte 0/],
    ['another element type', changed(2, 0x0d), /type 0xd at byte 2/],
    ['another number of dimensions', changed(3, 2), /2 dimensions at byte 3.*have 3/],
    ['a cut header', good.subarray(0, 9), /header, at byte 9/],
    ['cut data', good.subarray(0, 20), /truncated at byte 20 of the 24/],
    ['data after the end', Buffer.concat([good, Buffer.alloc(5)]), /5 bytes too many, from byte 24/],
    ['a huge dimension', changed(4, 0xff), /truncated at byte 24 of the/],
    ['a cut gzip file', zipped.subarray(0, zipped.length - 9), /damaged gzip data/],
    ['a gzip header only', zipped.subarray(0, 2), /damaged gzip|two zero bytes/],
    [
      'a gzip file with a wrong checksum',
      Buffer.from(zipped).fill(0, zipped.length - 8, zipped.length - 4),
      /damaged/,
    ],
    [
      'bytes after the gzip stream',
      Buffer.concat([zipped, Buffer.alloc(3)]),
      /after its compressed content, from byte/,
    ],
    ['a gzip file of too little', gzipSync(good.subarray(0, 20)), /truncated at byte 20 of the 24/],
    ['a gzip file of too much', gzipSync(Buffer.concat([good, Buffer.alloc(9)])), /more than the 24 bytes/],
    [
      'a small gzip file that promises gigabytes',
      gzipSync(changed(4, 0xff)),
      /promises \d+ bytes, more than 8 times its \d+ compressed/,
    ],
  ])('%s', (_, file, message) => {
    expect(() => parseIdx(file, images)).toThrow(InputError);
    expect(() => parseIdx(file, images)).toThrow(message);
    expect(() => parseIdx(file, images)).toThrow(/^images\.idx: /);
  });

  test('a gzip bomb, without unpacking it', () => {
    const bomb = gzipSync(Buffer.concat([idxFile([1, 2, 2]), Buffer.alloc(200_000_000)]));
    const before = process.memoryUsage().rss;
    expect(() => parseIdx(bomb, images)).toThrow(/more than the 20 bytes/);
    expect(process.memoryUsage().rss - before).toBeLessThan(60_000_000);
  });

  test('a file that does not exist', () => {
    expect(() => readIdxImages('/nowhere/images.idx')).toThrow(InputError);
    expect(() => readIdxImages('/nowhere/images.idx')).toThrow(
      '/nowhere/images.idx: cannot be read (ENOENT)',
    );
  });
});
