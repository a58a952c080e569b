/** What `featmatch data inspect` prints. */
import type { FolderReport } from '../data/folder/inspect.js';
import { formatTable } from './table.js';

const MOST_LINES = 20;

export function formatReport(report: FolderReport): string {
  const { images, classes, unlabeled, formats, sizes, broken, duplicates, similar, leaks } = report;
  const right = 'right' as const;
  const table = formatTable(
    [
      { title: 'class' },
      { title: 'training', align: right },
      { title: 'validation', align: right },
      { title: 'test', align: right },
    ],
    [
      ...classes.map(({ name, train, validation, test }) => [name, ...[train, validation, test].map(String)]),
      ['(unlabeled)', String(unlabeled), '', ''],
    ],
  );
  const [smallest, median, largest] = sizes.map(([width, height]) => `${width}×${height}`);
  const kinds = Object.entries(formats).map(([format, count]) => `${count} ${format}`);
  const group = (paths: readonly string[]) => paths.join('  =  ');
  return [
    table,
    `${images} images: ${kinds.join(', ')}; ${smallest} to ${largest} pixels, median ${median}\n`,
    section(
      'cannot be read',
      broken.map(({ path, reason }) => `${path}: ${reason}`),
    ),
    section('the same file more than once', duplicates.map(group)),
    section('look alike', similar.map(group)),
    section('of these in several parts, or under several labels: keep one of each', leaks.map(group)),
  ].join('');
}

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const more = lines.length > MOST_LINES ? [`… and ${lines.length - MOST_LINES} more (--json has all)`] : [];
  return [
    `\n${title} (${lines.length}):`,
    ...[...lines.slice(0, MOST_LINES), ...more].map((line) => `  ${line}`),
    '',
  ].join('\n');
}
