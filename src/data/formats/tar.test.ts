import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { tarChecksum } from '../../../test/support/data-files.js';
import { readFixture } from '../../../test/support/fixtures.js';
import { InputError } from '../../errors.js';
import { readTar } from './tar.js';

const archive = gunzipSync(readFixture('data/cifar/cifar-10-binary.tar.gz'));
const members = (bytes: Uint8Array) => [...readTar(bytes, 'a.tar')];

describe('a tar archive', () => {
  test.each(['cifar-10-binary', 'cifar-100-python', 'cifar-100-binary'])(
    'of another writer is read: %s, which are ustar, pax and GNU',
    (name) => {
      const files = members(gunzipSync(readFixture(`data/cifar/${name}.tar.gz`)));
      const sizes = files.map((file) => [file.name.replace(/^.*?\//, ''), file.data.length]);
      if (name === 'cifar-100-binary')
        expect(sizes).toEqual([
          ['train.bin', 3 * 3074],
          ['test.bin', 2 * 3074],
        ]);
      if (name === 'cifar-100-python') expect(sizes.map(([file]) => file)).toEqual(['train', 'test']);
      if (name === 'cifar-10-binary') expect(sizes[5]).toEqual(['test_batch.bin', 2 * 3073]);
    },
  );

  test('gives parts of its own bytes', () => {
    expect(members(archive)[0].data.buffer).toBe(archive.buffer);
  });

  test('may end without an end mark, and with one goes on no further', () => {
    const end = archive.length - archive.toReversed().findIndex((byte) => byte !== 0);
    expect(members(archive.subarray(0, Math.ceil(end / 512) * 512)).length).toBe(6);
    expect(members(Buffer.concat([archive, Buffer.from('garbage')])).length).toBe(6);
    expect(members(Buffer.alloc(0))).toEqual([]);
  });

  test('puts a name together from both of its parts', () => {
    const header = Buffer.from(archive.subarray(0, 512));
    header.write('deep/down', 345, 'latin1');
    header.write('0', 156, 'latin1');
    header.write(`${(9).toString(8).padStart(11, '0')}\0`, 124, 'latin1');
    header.write(tarChecksum(header), 148, 'latin1');
    expect(members(Buffer.concat([header, Buffer.alloc(512)]))[0].name).toBe(
      'deep/down/cifar-10-batches-bin/',
    );
  });
});

describe('a damaged tar archive is refused with the place', () => {
  const changed = (at: number, text: string, fix = false): Buffer => {
    const copy = Buffer.from(archive);
    copy.write(text, at, 'latin1');
    if (fix) copy.write(tarChecksum(copy.subarray(512, 1024)), 512 + 148, 'latin1');
    return copy;
  };

  test.each<[string, Buffer, RegExp]>([
    [
      'no archive',
      Buffer.from('<html>'.repeat(200)),
      /^a\.tar: not a tar archive, or damaged, at its byte 0/,
    ],
    ['a changed name', changed(512, 'x'), /damaged, at its byte 512/],
    [
      'a file cut off',
      archive.subarray(0, 1500),
      /truncated in .*data_batch_1\.bin, at byte 476 of its 6146/,
    ],
    ['a header cut off', archive.subarray(0, 700), /damaged, at its byte 512/],
    ['a length that is no number', changed(512 + 124, 'elephantine', true), /has no length, at byte 636/],
    [
      'a length beyond the archive',
      changed(512 + 124, '77777777777', true),
      /truncated in .* of its 8589934591/,
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => members(bytes)).toThrow(InputError);
    expect(() => members(bytes)).toThrow(message);
  });
});
