import { describe, expect, test } from 'vitest';
import { InputError } from '../../errors.js';
import { classNames, parseDomainList } from './domain-list.js';

const parse = (text: string, path = 'real_train.txt') => parseDomainList(Buffer.from(text), path);

describe('a list of images', () => {
  test('gives their paths and labels in order', () => {
    expect(parse('real/apple/1.jpg 0\nreal/The Eiffel Tower/a b.png 12\n')).toEqual({
      path: 'real_train.txt',
      images: ['real/apple/1.jpg', 'real/The Eiffel Tower/a b.png'],
      labels: [0, 12],
    });
  });

  test('may be empty, end without a newline, or have lines of Windows', () => {
    expect(parse('').images).toEqual([]);
    expect(parse('a/b/c 3').labels).toEqual([3]);
    expect(parse('a/b/ü 3\r\na/b/d 4\r\n')).toMatchObject({ images: ['a/b/ü', 'a/b/d'], labels: [3, 4] });
  });

  test.each([
    ['an empty line', 'a/b/c 0\n\na/b/d 0\n', 2],
    ['no label', 'a/b/c\n', 1],
    ['a label that is no number', 'a/b/c 0\na/b/d one\n', 2],
    ['a negative label', 'a/b/c -1', 1],
    ['an enormous label', 'a/b/c 4000000000', 1],
    ['too few folders', 'b/c.jpg 0', 1],
    ['too many folders', 'x/a/b/c.jpg 0', 1],
    ['an absolute path', '/a/b 0', 1],
    ['a path out of the folder', '../b/c 0', 1],
    ['a path out of the domain', 'a/../c 0', 1],
    ['binary content', '\0\x01\x02', 1],
  ])('is refused for %s', (_, text, line) => {
    expect(() => parse(text)).toThrow(InputError);
    expect(() => parse(text)).toThrow(
      new RegExp(`^real_train\\.txt: line ${line} is ".*" instead of "<domain>/`),
    );
  });
});

describe('the names of the classes', () => {
  test('are those of the folders, over all lists', () => {
    expect(classNames([parse('real/b/1 1\nreal/a/1 0'), parse('sketch/a/1 0\nsketch/c/1 2')])).toEqual([
      'a',
      'b',
      'c',
    ]);
    expect(classNames([])).toEqual([]);
  });

  test.each<[string, string[], RegExp]>([
    ['two names', ['r/a/1 0', 's/b/1 0'], /^1: line 1 has b as class 0, but class 0 was a before/],
    ['two numbers', ['r/a/1 0\nr/a/2 1'], /^0: line 2 has a as class 1, but a was class 0 before/],
    ['a gap', ['r/a/1 0\nr/c/1 2'], /^0: no image of class 1, but of 2/],
  ])('are refused if a class has %s', (_, texts, message) => {
    const lists = texts.map((text, i) => parse(text, String(i)));
    expect(() => classNames(lists)).toThrow(InputError);
    expect(() => classNames(lists)).toThrow(message);
  });
});
