/** A user's own list of images: CSV with a first line of column names, or JSON Lines. */

import { extname } from 'node:path';
import { parse } from 'csv-parse/sync';
import { InputError } from '../../errors.js';

export const PARTS = ['train', 'validation', 'test'] as const;
export type Part = (typeof PARTS)[number];

/** A path, a label and a part take less; more would cost memory many times its length. */
const LONGEST_LINE = 2 ** 16;

/** What a list says of one image. */
export interface Entry {
  readonly path: string;
  readonly part: Part;
  /** null = unknown */
  readonly className: string | null;
}

/** A row as it stands there. */
interface Row {
  readonly line: number;
  readonly path: unknown;
  readonly label: unknown;
  readonly split: unknown;
}

/**
 * The images of a list: `path`, `label` (may be missing: unlabelled) and `split` (may be missing: train) of each.
 *
 * @param path of the list; its ending says which form it has
 * @throws InputError if it has neither form, or a row is not as it should be; it says which line
 */
export function parseImageList(file: Uint8Array, path: string): Entry[] {
  const kind = extname(path).toLowerCase();
  if (kind !== '.csv' && kind !== '.jsonl') {
    throw new InputError(`${path} is neither a folder nor a list of images that ends with .csv or .jsonl`);
  }
  const text = Buffer.from(file.buffer, file.byteOffset, file.length).toString('utf8');
  checkLines(text, path);
  const seen = new Set<string>();
  return (kind === '.csv' ? csvRows(text, path) : jsonRows(text, path)).map((row) => {
    const entry = entryOf(row, `${path}, line ${row.line}`);
    if (seen.has(entry.path))
      throw new InputError(`${path}, line ${row.line}: ${entry.path} is listed twice`);
    seen.add(entry.path);
    return entry;
  });
}

function checkLines(text: string, path: string): void {
  for (let start = 0, line = 1; start < text.length; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (end - start > LONGEST_LINE) {
      throw new InputError(
        `${path}, line ${line}: longer than ${LONGEST_LINE} characters, so not an image's entry`,
      );
    }
    start = end + 1;
  }
}

function entryOf({ path, label, split }: Row, at: string): Entry {
  if (typeof path !== 'string' || path === '') throw new InputError(`${at}: there is no path of an image`);
  const part = split === undefined || split === '' ? 'train' : split;
  if (!PARTS.includes(part as Part)) {
    throw new InputError(`${at}: the split is one of ${PARTS.join(', ')}, not ${JSON.stringify(split)}`);
  }
  if (label === undefined || label === null || label === '')
    return { path, part: part as Part, className: null };
  if (typeof label !== 'string' && typeof label !== 'number') {
    throw new InputError(`${at}: the label is a name or a number, not ${JSON.stringify(label)}`);
  }
  return { path, part: part as Part, className: String(label) };
}

function csvRows(text: string, path: string): Row[] {
  try {
    return parse(text, {
      columns: (names: string[]) => {
        if (!names.includes('path')) throw new Error('its first line does not name a column path');
        return names;
      },
      bom: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n'],
      trim: true,
      on_record: (record: Record<string, string>, { lines }: { lines: number }): Row => ({
        line: lines,
        path: record.path,
        label: record.label,
        split: record.split,
      }),
    }) as unknown as Row[];
  } catch (error) {
    throw new InputError(
      `${path} is not a CSV list of images with the columns path,label: ${(error as Error).message}`,
    );
  }
}

function jsonRows(text: string, path: string): Row[] {
  const rows: Row[] = [];
  for (let start = 0, line = 1; start < text.length; line++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const content = text.slice(start, end);
    start = end + 1;
    if (content.trim() !== '') rows.push(jsonRow(content, { path, line }));
  }
  return rows;
}

function jsonRow(content: string, { path: list, line }: { path: string; line: number }): Row {
  try {
    const values: unknown = JSON.parse(content);
    if (typeof values === 'object' && values !== null) {
      const { path, label, split } = values as Record<string, unknown>;
      return { line, path, label, split };
    }
  } catch {} // told below
  throw new InputError(`${list}, line ${line}: not a JSON object such as {"path":"a.jpg","label":"cat"}`);
}
