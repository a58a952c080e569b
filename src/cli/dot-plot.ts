/** A plot as SVG: a row for each of what is compared, a dot for each number found, a bar at their mean. */
import { element, multiples, roundStep, text } from '../report/svg.js';

export interface DotPlot {
  readonly title: string;
  /** what the numbers are */
  readonly axis: string;
  readonly groups: readonly DotGroup[];
}

/** Rows that belong together, below a heading; the groups share the axis. */
export interface DotGroup {
  readonly title: string;
  /** from top to bottom; each has one number at least */
  readonly rows: readonly { readonly label: string; readonly values: readonly number[] }[];
}

// in pixels
const LEFT = 170;
const WIDTH = 720;
const RIGHT = 24;
const TOP = 36;
const BOTTOM = 44;
const ROW = 20;

/** An image of about 720 pixels' width. There is one row at least. */
export function dotPlot({ title, axis, groups }: DotPlot): string {
  const values = groups.flatMap(({ rows }) => rows.flatMap((row) => row.values));
  const ticks = roundSteps(Math.min(...values), Math.max(...values));
  const [from, to] = [ticks[0], ticks[ticks.length - 1]];
  const x = (value: number) => LEFT + ((value - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
  const parts: string[] = [];
  let y = TOP;
  for (const group of groups) {
    y += ROW;
    parts.push(text(group.title, { x: 12, y: y + 4, 'font-weight': 'bold' }));
    for (const { label, values: found } of group.rows) {
      y += ROW;
      const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
      parts.push(
        text(label, { x: LEFT - 14, y: y + 4, 'text-anchor': 'end' }),
        element('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: y, y2: y, stroke: '#eee' }),
        ...found.map((value) =>
          element('circle', { cx: round(x(value)), cy: y, r: 4, fill: '#4269d0', 'fill-opacity': 0.55 }),
        ),
        element('rect', { x: round(x(mean) - 1.5), y: y - 7, width: 3, height: 14, fill: '#222' }),
      );
    }
  }
  const bottom = y + ROW / 2;
  const grid = ticks.flatMap((tick) => [
    element('line', {
      x1: round(x(tick)),
      x2: round(x(tick)),
      y1: TOP + ROW / 2,
      y2: bottom,
      stroke: '#ddd',
    }),
    text(String(tick), { x: round(x(tick)), y: bottom + 16, 'text-anchor': 'middle' }),
  ]);
  const height = bottom + BOTTOM;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(title, { x: 12, y: 22, 'font-weight': 'bold' }),
    ...grid,
    ...parts,
    text(axis, { x: (LEFT + WIDTH - RIGHT) / 2, y: bottom + 34, 'text-anchor': 'middle' }),
    '</svg>\n',
  ].join('\n');
}

/** Round numbers, evenly apart, from `low` or below to `high` or above: two to about eleven. */
export function roundSteps(low: number, high: number): number[] {
  const step = roundStep(Math.max(high - low, 1e-6) / 8);
  const first = Math.floor(low / step + 1e-9);
  return multiples(step, first, Math.max(first + 1, Math.ceil(high / step - 1e-9)));
}

const round = (pixels: number) => Math.round(10 * pixels) / 10;
