import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { generatedImages, readFixture } from '../../../test/support/fixtures.js';
import { InputError } from '../../errors.js';
import { parseCifarBinary, parseCifarPickle } from './cifar.js';
import { readTar } from './tar.js';

/** The member of one of the archives that ends with `name`. */
function member(archive: string, name: string): Buffer {
  const files = [...readTar(gunzipSync(readFixture(`data/cifar/${archive}.tar.gz`)), archive)];
  return Buffer.from(files.find((file) => file.name.endsWith(`/${name}`))?.data ?? []);
}

describe("CIFAR's files of another writer", () => {
  test.each([
    ['CIFAR-10, binary', parseCifarBinary(member('cifar-10-binary', 'data_batch_4.bin'), 'f', 1), [3, 7], 3],
    [
      'CIFAR-10, pickle',
      parseCifarPickle(member('cifar-10-python', 'data_batch_4'), 'f', 'labels'),
      [3, 7],
      3,
    ],
    ['CIFAR-100, binary', parseCifarBinary(member('cifar-100-binary', 'train.bin'), 'f', 2), [99, 0, 42], 0],
    [
      'CIFAR-100, pickle',
      parseCifarPickle(member('cifar-100-python', 'train'), 'f', 'fine_labels'),
      [99, 0, 42],
      0,
    ],
    ['column-major', parseCifarPickle(member('cifar-100-python', 'test'), 'f', 'fine_labels'), [7, 50], 9],
  ])('%s', (_, { images, labels }, expected, seed) => {
    expect([...labels]).toEqual(expected);
    expect([...images]).toEqual(generatedImages(expected.length, seed));
  });
});

describe('a malformed file is refused', () => {
  const records = member('cifar-10-binary', 'data_batch_1.bin');

  test.each([
    ['cut off', records.subarray(0, 4000)],
    ['empty', Buffer.alloc(0)],
    ['too long', Buffer.concat([records, Buffer.alloc(1)])],
  ])('binary, %s', (_, file) => {
    expect(() => parseCifarBinary(file, 'batch.bin', 1)).toThrow(InputError);
    expect(() => parseCifarBinary(file, 'batch.bin', 1)).toThrow(
      `batch.bin: truncated at byte ${file.length}: not a whole number of records of 3073 bytes`,
    );
  });

  const pickle = member('cifar-10-python', 'data_batch_1');
  const replaced = (from: string, to: string) =>
    Buffer.from(pickle.toString('latin1').replace(from, to), 'latin1');

  test.each<[string, Buffer, RegExp]>([
    ['no dictionary', Buffer.from('].'), /batch: not a dictionary/],
    ['no array', replaced('U\x04data', 'U\x04dota'), /no array "data" of images with 3072 values/],
    ['no labels', replaced('U\x06labels', 'U\x06lobels'), /no list "labels" of whole numbers/],
    ['labels that are no numbers', replaced('(K\x00K\x04e', '(K\x00Ne'), /no list "labels" of whole numbers/],
    ['a label too few', replaced('(K\x00K\x04e', '(K\x00e'), /has 1 labels for 2 images/],
    [
      'images of another size',
      replaced('K\x02M\x00\x0c\x86', 'K\x04M\x00\x06\x86'),
      /images with 3072 values/,
    ],
  ])('pickle, %s', (_, file, message) => {
    expect(() => parseCifarPickle(file, 'batch', 'labels')).toThrow(InputError);
    expect(() => parseCifarPickle(file, 'batch', 'labels')).toThrow(message);
  });

  test('the batch of the other data set', () => {
    expect(() => parseCifarPickle(pickle, 'batch', 'fine_labels')).toThrow(
      /no list "fine_labels".*data set asked for/,
    );
  });
});
