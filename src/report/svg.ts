/** Drawing on a plane of numbers: scales, axes and elements of SVG, as text. */

/** From values to positions, and the values to mark on its axis. */
export interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** @param domain least and greatest value; where they are equal there is room around them */
export function linearScale(
  [low, high]: readonly [number, number],
  [from, to]: readonly [number, number],
  count = 5,
): Scale {
  const [least, most] = low === high ? [low - 0.5, high + 0.5] : [low, high];
  return {
    at: (value) => from + ((value - least) / (most - least)) * (to - from),
    ticks: roundNumbers(least, most, count),
  };
}

/** About `count` multiples of 1, 2 or 5 times a power of ten between two values. */
export function roundNumbers(low: number, high: number, count: number): number[] {
  const step = roundStep((high - low) / count);
  return multiples(step, Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9));
}

/** The smallest of 1, 2 and 5 times a power of ten that is not below a number. */
export function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}

/** first · step, …, last · step, without what binary fractions add. */
export function multiples(step: number, first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Text inside of elements and attributes. */
export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

type Attributes = Readonly<Record<string, string | number>>;

/** `<name a="…">content</name>`. Numbers are rounded to a hundredth. @param content elements, already escaped */
export function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? Number(value.toFixed(2)) : escapeText(value)}"`,
  );
  return `<${name}${written.join('')}>${content}</${name}>`;
}

export function text(content: string, attributes: Attributes): string {
  return element('text', attributes, escapeText(content));
}

/** What is shown where a pointer rests on an element. */
export function title(content: string): string {
  return element('title', {}, escapeText(content));
}

/** A picture that is as wide as its place. @param label says to those who do not see it what it is */
export function svg(
  { width, height, label }: { width: number; height: number; label: string },
  content: readonly string[],
): string {
  return element(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label },
    content.join(''),
  );
}

/** The part of a picture where values are, and what its edges mean. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface Axis {
  readonly scale: Scale;
  readonly label: string;
  format(value: number): string;
}

/** Lines across the frame at the marks of the vertical axis, and numbers and labels at both. */
export function axes({ left, right, top, bottom }: Frame, { x, y }: { x: Axis; y: Axis }): string[] {
  const middle = (left + right) / 2;
  return [
    ...y.scale.ticks.map((tick) => {
      const at = y.scale.at(tick);
      const line = element('line', { class: 'grid', x1: left, x2: right, y1: at, y2: at });
      return line + text(y.format(tick), { class: 'tick', x: left - 6, y: at + 4, 'text-anchor': 'end' });
    }),
    ...x.scale.ticks.map((tick) => {
      const at = x.scale.at(tick);
      const line = element('line', { class: 'axis', x1: at, x2: at, y1: bottom, y2: bottom + 4 });
      return line + text(x.format(tick), { class: 'tick', x: at, y: bottom + 17, 'text-anchor': 'middle' });
    }),
    element('line', { class: 'axis', x1: left, x2: right, y1: bottom, y2: bottom }),
    text(x.label, { class: 'label', x: middle, y: bottom + 34, 'text-anchor': 'middle' }),
    text(y.label, { class: 'label', x: left - 40, y: top - 12 }),
  ];
}

/** `1,234`, `0.05`, `1e-5` */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-3) return value.toExponential(0);
  return value.toLocaleString('en', { maximumFractionDigits: size < 0.1 ? 4 : size < 10 ? 2 : 0 });
}
