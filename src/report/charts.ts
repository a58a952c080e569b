/** The pictures of a report. Colors are classes of its style sheet, so that they follow a dark screen. */
import type { Calibration } from './findings.js';
import {
  type Axis,
  axes,
  element,
  escapeText,
  type Frame,
  formatNumber,
  linearScale,
  svg,
  text,
  title,
} from './svg.js';

/** As wide as a narrow screen, so that letters keep their size on it. */
const WIDTH = 360;

/** A line of points, in the order of `x`. */
export interface Series {
  readonly name: string;
  /** number of its color, from 0 */
  readonly color: number;
  readonly isDashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChartOptions {
  readonly label: string;
  readonly yLabel: string;
  /** default: from 0 to the greatest value */
  readonly yDomain?: readonly [number, number];
  /** training steps in all */
  readonly steps: number;
  format?(value: number): string;
}

/** Values by training step, with a legend where there are several lines. */
export function lineChart(series: readonly Series[], options: LineChartOptions): string {
  const { label, yLabel, steps, format = formatNumber } = options;
  const height = 236;
  const frame: Frame = { left: 46, right: WIDTH - 12, top: 28, bottom: height - 42 };
  const values = series.flatMap(({ points }) => points.map(([, y]) => y));
  const domain = options.yDomain ?? [0, 1.05 * Math.max(...values, Number.MIN_VALUE)];
  const x: Axis = {
    scale: linearScale([0, steps], [frame.left, frame.right], 4),
    label: 'training steps',
    format: formatNumber,
  };
  const y: Axis = { scale: linearScale(domain, [frame.bottom, frame.top]), label: yLabel, format };
  const lines = series.map(({ name, color, isDashed, points }) => {
    const place = ([step, value]: readonly [number, number]) =>
      [x.scale.at(step), y.scale.at(value)].map((number) => number.toFixed(1)).join(' ');
    const kind = isDashed ? 'line dashed' : 'line';
    const path = thin(points).map((point, i) => `${i === 0 ? 'M' : 'L'}${place(point)}`);
    const [step, value] = points[points.length - 1];
    const end = element(
      'circle',
      { class: `dot c${color}`, cx: x.scale.at(step), cy: y.scale.at(value), r: 3.5 },
      title(`${name}: ${format(value)} after ${formatNumber(step)} steps`),
    );
    return element('path', { class: `${kind} c${color}`, d: path.join('') }) + end;
  });
  const keys = series.length > 1 ? legend(series) : '';
  return keys + svg({ width: WIDTH, height, label }, [...axes(frame, { x, y }), ...lines]);
}

/** More points than pixels are drawn as means of neighbours. */
function thin(points: Series['points'], most = 300): Series['points'] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, i) => {
    const group = points.slice(
      Math.floor((i * points.length) / most),
      Math.floor(((i + 1) * points.length) / most),
    );
    const mean = (axis: 0 | 1) => group.reduce((sum, point) => sum + point[axis], 0) / group.length;
    return [mean(0), mean(1)] as const;
  });
}

function legend(series: readonly Series[]): string {
  const keys = series.map(
    ({ name, color, isDashed }) =>
      `<span><i class="key c${color}${isDashed ? ' dashed' : ''}"></i>${escapeText(name)}</span>`,
  );
  return `<p class="legend">${keys.join('')}</p>`;
}

export interface Bar {
  readonly name: string;
  /** 0…1 */
  readonly share: number;
  readonly note: string;
}

/** Shares as bars from left to right. */
export function barChart(bars: readonly Bar[], label: string): string {
  const row = 22;
  const height = bars.length * row + 42;
  const left = marginFor(bars.map(({ name }) => name));
  const frame: Frame = { left, right: WIDTH - 52, top: 0, bottom: height - 42 };
  const scale = linearScale([0, 1], [frame.left, frame.right], 4);
  const marks = scale.ticks.map((tick) => {
    const at = scale.at(tick);
    return (
      element('line', { class: 'grid', x1: at, x2: at, y1: frame.top, y2: frame.bottom }) +
      text(formatPercent(tick), { class: 'tick', x: at, y: frame.bottom + 17, 'text-anchor': 'middle' })
    );
  });
  const rows = bars.map(({ name, share, note }, i) => {
    const y = i * row;
    return element(
      'g',
      {},
      title(`${name}: ${note}`) +
        text(shorten(name, MOST_CHARACTERS), {
          class: 'name',
          x: frame.left - 8,
          y: y + 15,
          'text-anchor': 'end',
        }) +
        element('rect', {
          class: 'bar',
          x: frame.left,
          y: y + 4,
          width: scale.at(share) - frame.left,
          height: row - 7,
          rx: 2,
        }) +
        text((100 * share).toFixed(1), { class: 'value', x: frame.right + 8, y: y + 15 }),
    );
  });
  const caption = text('accuracy (%)', {
    class: 'label',
    x: (frame.left + frame.right) / 2,
    y: frame.bottom + 34,
    'text-anchor': 'middle',
  });
  return svg({ width: WIDTH, height, label }, [...marks, ...rows, caption]);
}

/** Images of each class (row) by what they were taken for (column). The diagonal has a color of its own. */
export function confusionMatrix(
  confusion: readonly (readonly number[])[],
  classes: readonly string[],
): string {
  const count = classes.length;
  const left = marginFor(classes);
  const cell = (WIDTH - left - 2) / count;
  const top = 18;
  const bottom = top + count * cell;
  const hasNumbers = cell >= 20;
  const shares = confusion.map((row) => {
    const images = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => (images === 0 ? 0 : value / images));
  });
  const worst = Math.max(
    ...shares.flatMap((row, label) => row.filter((_, predicted) => predicted !== label)),
    Number.MIN_VALUE,
  );
  const cells = confusion.flatMap((row, label) =>
    row.map((images, predicted) => {
      const isRight = label === predicted;
      if (images === 0) return '';
      // Square roots: a few errors are seen beside many.
      const strength = isRight ? shares[label][predicted] : Math.sqrt(shares[label][predicted] / worst);
      const [x, y] = [left + predicted * cell, top + label * cell];
      const square = element(
        'rect',
        {
          class: isRight ? 'right' : 'wrong',
          x: x + 0.5,
          y: y + 0.5,
          width: cell - 1,
          height: cell - 1,
          'fill-opacity': 0.12 + 0.88 * strength,
        },
        title(`${classes[label]} taken for ${classes[predicted]}: ${formatNumber(images)} images`),
      );
      if (!hasNumbers) return square;
      return (
        square +
        text(String(images), {
          class: strength > 0.55 ? 'count inverse' : 'count',
          x: x + cell / 2,
          y: y + cell / 2 + 3.5,
          'text-anchor': 'middle',
        })
      );
    }),
  );
  const isUpright = classes.every((name) => 6.5 * name.length <= cell);
  const foot = isUpright ? 20 : marginFor(classes);
  const size = { class: 'name', 'font-size': Math.min(11, cell - 1) };
  const names = classes.map((name, i) => {
    const middle = (i + 0.5) * cell;
    const x = left + middle + (isUpright ? 0 : 3.5);
    const y = bottom + (isUpright ? 14 : 6);
    const column = isUpright
      ? text(name, { ...size, x, y, 'text-anchor': 'middle' })
      : text(shorten(name, MOST_CHARACTERS), {
          ...size,
          x,
          y,
          'text-anchor': 'end',
          transform: `rotate(-90 ${x} ${y})`,
        });
    return (
      column +
      text(shorten(name, MOST_CHARACTERS), {
        ...size,
        x: left - 6,
        y: top + middle + 3.5,
        'text-anchor': 'end',
      })
    );
  });
  return svg({ width: WIDTH, height: bottom + foot + 18, label: 'confusion matrix' }, [
    text('class of the image', { class: 'label', x: 0, y: 11 }),
    ...cells,
    ...names,
    text('taken for', {
      class: 'label',
      x: (left + WIDTH) / 2,
      y: bottom + foot + 12,
      'text-anchor': 'middle',
    }),
  ]);
}

/** Accuracy by confidence, over the share of images that have it. */
export function reliabilityDiagram({ bins, meanConfidence }: Calibration): string {
  const height = 330;
  const frame: Frame = { left: 46, right: WIDTH - 12, top: 22, bottom: 206 };
  const below: Frame = { ...frame, top: 238, bottom: height - 42 };
  const total = bins.reduce((sum, { images }) => sum + images, 0);
  const x: Axis = {
    scale: linearScale([0, 1], [frame.left, frame.right]),
    label: 'confidence (%)',
    format: formatPercent,
  };
  const y: Axis = {
    scale: linearScale([0, 1], [frame.bottom, frame.top]),
    label: 'accuracy (%)',
    format: formatPercent,
  };
  const shares: Axis = {
    scale: linearScale([0, 1], [below.bottom, below.top], 2),
    label: 'images (%)',
    format: formatPercent,
  };
  const width = (frame.right - frame.left) / bins.length;
  const bars = bins.map(({ images, accuracy, confidence }, i) => {
    if (accuracy === null || confidence === null) return '';
    const place = { x: frame.left + i * width + 1, width: width - 2 };
    const [atAccuracy, atConfidence] = [y.scale.at(accuracy), y.scale.at(confidence)];
    const share = shares.scale.at(images / total);
    return element(
      'g',
      { class: images < 10 ? 'few' : '' },
      title(
        `${formatNumber(images)} images: confidence ${(100 * confidence).toFixed(1)} %, accuracy ${(100 * accuracy).toFixed(1)} %`,
      ) +
        element('rect', {
          class: 'bar',
          ...place,
          y: Math.max(atAccuracy, atConfidence),
          height: frame.bottom - Math.max(atAccuracy, atConfidence),
        }) +
        element('rect', {
          class: accuracy < confidence ? 'over' : 'under',
          ...place,
          y: Math.min(atAccuracy, atConfidence),
          height: Math.abs(atAccuracy - atConfidence),
        }) +
        element('rect', { class: 'bar', ...place, y: share, height: below.bottom - share }),
    );
  });
  const diagonal = element('line', {
    class: 'diagonal',
    x1: frame.left,
    y1: frame.bottom,
    x2: frame.right,
    y2: frame.top,
  });
  const mean = x.scale.at(meanConfidence);
  return svg({ width: WIDTH, height, label: 'reliability diagram' }, [
    ...axes(frame, { x: { ...x, label: '', format: () => '' }, y }),
    ...axes(below, { x, y: shares }),
    ...bars,
    diagonal,
    element(
      'line',
      { class: 'mean', x1: mean, x2: mean, y1: below.top, y2: below.bottom },
      title(`mean confidence ${(100 * meanConfidence).toFixed(1)} %`),
    ),
  ]);
}

/** A point of a map. */
export interface MapPoint {
  readonly x: number;
  readonly y: number;
  readonly label: number;
}

/** Prototypes (large) among images (small), colored by class, with the classes' names at the middle of their prototypes. */
export function featureMap(
  { prototypes, images }: { prototypes: readonly MapPoint[]; images: readonly MapPoint[] },
  classes: readonly string[],
): string {
  const height = 320;
  const all = [...prototypes, ...images];
  const range = (of: 'x' | 'y'): [number, number] => {
    const values = all.map((point) => point[of]);
    return [Math.min(...values), Math.max(...values)];
  };
  const x = linearScale(range('x'), [14, WIDTH - 14]);
  const y = linearScale(range('y'), [height - 14, 14]);
  const color = (label: number) => `--hue:${Math.round((360 * label) / classes.length)}`;
  const dot = (point: MapPoint, kind: string, r: number) =>
    element('circle', { class: kind, cx: x.at(point.x), cy: y.at(point.y), r, style: color(point.label) });
  const names = classes.map((name, label) => {
    const own = prototypes.filter((point) => point.label === label);
    if (own.length === 0) return '';
    const mean = (of: 'x' | 'y') => own.reduce((sum, point) => sum + point[of], 0) / own.length;
    return text(shorten(name, 14), {
      class: 'place',
      x: x.at(mean('x')),
      y: y.at(mean('y')) + 4,
      'text-anchor': 'middle',
    });
  });
  return svg({ width: WIDTH, height, label: 'map of features and prototypes' }, [
    ...images.map((point) => dot(point, 'image', 1.6)),
    ...prototypes.map((point) => dot(point, 'prototype', 4)),
    ...(classes.length <= 30 ? names : []),
  ]);
}

/** Longer names are cut. */
const MOST_CHARACTERS = 13;

/** Room for names on the left. */
function marginFor(names: readonly string[]): number {
  return 12 + 6.5 * Math.min(MOST_CHARACTERS, Math.max(...names.map(({ length }) => length), 3));
}

/** 0.5 → `50` */
function formatPercent(share: number): string {
  return formatNumber(100 * share);
}

function shorten(name: string, characters: number): string {
  return name.length <= characters ? name : `${name.slice(0, Math.max(1, characters - 1))}…`;
}
