/** Tables in plain text, aligned by spaces. */

export interface Column {
  readonly title: string;
  /** Numbers read better on the right. Default left. */
  readonly align?: 'left' | 'right';
}

/** A header and one line per row; every row has a cell per column. Ends with a newline. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const header = columns.map(({ title }) => title);
  const widths = columns.map((_, index) => Math.max(...[header, ...rows].map((row) => width(row[index]))));
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, index) => pad(cell, widths[index], columns[index].align ?? 'left'))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** The same as a table of Markdown. */
export function formatMarkdownTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  const rule = `|${columns.map(({ align }) => (align === 'right' ? '---:' : '---')).join('|')}|\n`;
  return line(columns.map(({ title }) => title)) + rule + rows.map(line).join('');
}

function pad(cell: string, columnWidth: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(columnWidth - width(cell));
  return align === 'left' ? cell + space : space + cell;
}

/** Characters, where an accent of its own counts as a part of its letter. */
function width(text: string): number {
  return [...new Intl.Segmenter().segment(text)].length;
}
