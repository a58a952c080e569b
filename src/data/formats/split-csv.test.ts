import { describe, expect, test } from 'vitest';
import { InputError } from '../../errors.js';
import { parseSplitCsv } from './split-csv.js';

const parse = (text: string) => parseSplitCsv(Buffer.from(text), 'train.csv');

describe('a list of a split', () => {
  test('gives files and labels in order', () => {
    expect(parse('filename,label\nn01532829000001.jpg,n01532829\nb c.jpg,n2\n')).toEqual({
      files: ['n01532829000001.jpg', 'b c.jpg'],
      labels: ['n01532829', 'n2'],
    });
  });

  test('may have no image, no newline at its end, or lines of Windows', () => {
    expect(parse('filename,label').files).toEqual([]);
    expect(parse('filename,label\r\na,b\r\nc,d')).toEqual({ files: ['a', 'c'], labels: ['b', 'd'] });
  });

  test.each([
    ['nothing', '', 1],
    ['other columns', 'path,label\na,b', 1],
    ['no header', 'a.jpg,cat\n', 1],
    ['no label', 'filename,label\na.jpg\n', 2],
    ['a column too many', 'filename,label\na,b\na,b,c\n', 3],
    ['an empty line', 'filename,label\na,b\n\n', 3],
    ['a path that leads elsewhere', 'filename,label\n../a.jpg,b\n', 2],
    ['a class that leads elsewhere', 'filename,label\na.jpg,..\n', 2],
    ['binary content', '\0\x01', 1],
  ])('is refused for %s', (_, text, line) => {
    expect(() => parse(text)).toThrow(InputError);
    expect(() => parse(text)).toThrow(new RegExp(`^train\\.csv: line ${line} is ".*" instead of [^\\n]+$`));
  });
});
