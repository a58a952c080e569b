import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readFixture } from '../../../test/support/fixtures.js';
import { InputError } from '../../errors.js';
import { PickledArray, readPickle } from './pickle.js';
import { readTar } from './tar.js';

const [batch] = readTar(gunzipSync(readFixture('data/cifar/cifar-10-python.tar.gz')), 'cifar');
const read = (...parts: (string | Buffer)[]) =>
  readPickle(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))),
    'p',
  );
/** A name that the text format writes in two lines. */
const ARRAY = 'cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R';
const BYTES = 'cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R';
const LONG = Buffer.concat([Buffer.from('T\x00\x01\x00\x00', 'latin1'), Buffer.alloc(256, 7)]);

describe('a pickle of Python 2', () => {
  test('of another writer is read', () => {
    const value = readPickle(batch.data, batch.name) as Map<string, unknown>;
    expect([...value.keys()]).toEqual(['batch_label', 'labels', 'data', 'filenames']);
    expect(value.get('batch_label')).toBe('batch 0');
    expect(value.get('labels')).toEqual([0, 4]);
    expect(value.get('filenames')).toEqual(['image_s_000000.png', 'image_s_000001.png']);
    const data = value.get('data') as PickledArray;
    expect(data).toBeInstanceOf(PickledArray);
    expect([data.shape, data.isFortran]).toEqual([[2, 3072], false]);
    expect([...data.data.subarray(0, 3)]).toEqual([0, 2, 4]);
    expect(data.data.buffer).toBe(batch.data.buffer); // a part of the file, not a copy
  });

  test.each<[string, string | Buffer, unknown]>([
    ['none and booleans', '(N\x88\x89t.', [null, true, false]],
    ['numbers of one, two and four bytes', '(K\xffM\xff\xffJ\xfe\xff\xff\xfft.', [255, 65535, -2]],
    ['strings', 'U\x03a\xe9b.', 'aéb'],
    ['tuples', '(K\x01\x85K\x02K\x03\x86K\x04K\x05K\x06\x87t.', [[1], [2, 3], [4, 5, 6]]],
    ['lists', '](K\x01K\x02eK\x03a.', [1, 2, 3]],
    ['dictionaries', '}(U\x01aK\x01U\x01bK\x02uU\x01cK\x03s.', new Map(Object.entries({ a: 1, b: 2, c: 3 }))],
    ['remembered values', '(K\x07q\x00K\x08r\x01\x00\x00\x00h\x00j\x01\x00\x00\x00t.', [7, 8, 7, 8]],
    ['a protocol', '\x80\x02N.', null],
  ])('has %s', (_, file, value) => {
    expect(read(file)).toEqual(value);
  });

  test('has arrays of bytes', () => {
    const array = read(ARRAY, '(K\x01K\x10K\x10\x86', BYTES, '\x89', LONG, 'tb.');
    expect(array).toMatchObject({ shape: [16, 16], isFortran: false, data: Buffer.alloc(256, 7) });
  });
});

describe('a pickle is refused with the place', () => {
  test('if it would have Python call something', () => {
    expect(() => readPickle(readFixture('data/cifar/harmful.pickle'), 'harmful.pickle')).toThrow(
      'harmful.pickle: not a pickle as CIFAR\'s are: it asks for "__builtin__ print", which is no part of an array, at ' +
        'byte 13; get the file again from its publisher',
    );
  });

  test.each<[string, (string | Buffer)[], RegExp]>([
    ['another function', ['cos\nsystem\nU\x02ls\x85R.'], /asks for "os system".*, at byte 0/],
    ['a name that begins like a known one', ['cnumpy\nndarray2\n.'], /asks for "numpy ndarray2"/],
    ['a name without end', ['c', 'x'.repeat(1000)], /a name without end, at byte 0/],
    ['a call of the wrong one of the names', ['cnumpy\nndarray\nK\x00\x85R.'], /a call of something else/],
    ['a call of a value', ['K\x01K\x00\x85R.'], /a call of something else/],
    [
      'reconstruction of something else',
      ['cnumpy.core.multiarray\n_reconstruct\nK\x01\x85R.'],
      /a call of something/,
    ],
    ['elements of another type', ['cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R.'], /type "f8" instead of "u1"/],
    [
      'a shape of another size',
      [ARRAY, '(K\x01K\x10K\x11\x86', BYTES, '\x89', LONG, 'tb.'],
      /shape 16×17 with 256/,
    ],
    ['a negative shape', [ARRAY, '(K\x01J\xff\xff\xff\xff\x85', BYTES, '\x89', LONG, 'tb.'], /without shape/],
    [
      'an array without type',
      [ARRAY, '(K\x01K\x10K\x10\x86N\x89', LONG, 'tb.'],
      /without shape, type or content/,
    ],
    ['content for a number', ['K\x01)b.', ''], /0x29/],
    ['content for a list', [']K\x01b.'], /content for what is no array/],
    ['items for a number', ['K\x01K\x02a.'], /items for what is no list, at byte 4/],
    ['entries for a list', [']U\x01aK\x01s.'], /entries for what is no dictionary/],
    ['an entry without a name', ['}K\x01K\x01s.'], /an entry without a name/],
    ['an entry without a value', ['}(U\x01au.'], /an entry without a name/],
    ['nothing', [''], /truncated at byte 0/],
    ['no value', ['.'], /a value is missing/],
    ['too few values', ['K\x01\x86.'], /a value is missing, at byte 2/],
    ['a mark too few', ['K\x01t.'], /a mark is missing/],
    ['a mark above the stack', ['K\x01K\x02(\x86\x85t.'], /a mark is missing/],
    ['a value that was not remembered', ['h\x00.'], /value 0 was not remembered/],
    ['memory with gaps', ['Nr\xff\xff\xff\x7f.'], /number 2147483647 before its turn/],
    ['a string cut off', ['U\x05abc'], /truncated at byte 5/],
    ['a string longer than the file', ['T\xff\xff\xff\xff'], /truncated at byte 5/],
    ['a long string that is short', ['T\x01\x00\x00\x00a.'], /a long string of only 1 bytes/],
    ['bytes after the end', ['N.N'], /bytes after its content, from byte 2/],
    ['protocol 4', [readFixture('data/cifar/python3.pickle')], /protocol 4 instead of 2, at byte 0/],
    ['text of protocol 0', ["(dp1\nS'labels'\n"], /an instruction 0x64 that they do not have, at byte 1/],
    ['a persistent object', ['Pname\n.'], /instruction 0x50/],
    ['an instance', ['(ios\nsystem\n.'], /instruction 0x69/],
    ['an extension', ['\x82\x01.'], /instruction 0x82/],
    ['endless lists', [']'.repeat(5000)], /more than 1000 lists and arrays, at byte 1000/],
    ['endless values', ['N'.repeat(9000)], /more than 5000 values at a time, at byte 5000/],
    ['endless instructions', [`]${'Na'.repeat(200_000)}`], /more than 262144 instructions/],
  ])('%s', (_, parts, message) => {
    expect(() => read(...parts)).toThrow(InputError);
    expect(() => read(...parts)).toThrow(message);
    expect(() => read(...parts)).toThrow(/^p: [^\n]*$/);
  });
});
