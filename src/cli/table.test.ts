import { describe, expect, it } from 'vitest';
import { formatMarkdownTable, formatTable } from './table.js';

describe('formatTable', () => {
  it('aligns columns under their titles, numbers to the right, without spaces at the ends of lines', () => {
    const columns = [{ title: 'run' }, { title: 'steps', align: 'right' }, { title: 'note' }] as const;
    const rows = [
      ['first', '5', ''],
      ['a', '15000', 'long'],
    ];
    expect(formatTable(columns, rows)).toBe('run    steps  note\nfirst      5\na      15000  long\n');
  });

  it('counts letters, whatever their bytes', () => {
    const rows = [
      ['λ_g', 'x'],
      ['e\u0301', 'y'],
    ];
    expect(formatTable([{ title: 'k' }, { title: 'v' }], rows)).toBe('k    v\nλ_g  x\ne\u0301    y\n');
  });

  it('is the header alone where there are no rows', () => {
    expect(formatTable([{ title: 'a' }, { title: 'b' }], [])).toBe('a  b\n');
  });
});

describe('formatMarkdownTable', () => {
  it('is a table of Markdown, whose cells may hold a bar', () => {
    const columns = [{ title: 'run' }, { title: 'steps', align: 'right' }] as const;
    expect(formatMarkdownTable(columns, [['a|b', '5']])).toBe('| run | steps |\n|---|---:|\n| a\\|b | 5 |\n');
  });
});
