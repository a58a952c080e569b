/** A report as one HTML file. Pictures and style are in it, and it asks for nothing from anywhere. */
import { describeLabels, METRICS, type MetricsLine, type StoredRun } from '../runs/index.js';
import {
  barChart,
  confusionMatrix,
  featureMap,
  lineChart,
  reliabilityDiagram,
  type Series,
} from './charts.js';
import type { Findings } from './findings.js';
import type { PrototypeFindings } from './prototypes.js';
import { STYLE } from './style.js';
import { escapeText, formatNumber } from './svg.js';

export interface Page {
  readonly run: StoredRun;
  readonly metrics: readonly MetricsLine[];
  readonly classes: readonly string[];
  /** null where no labeled images may be looked at yet */
  readonly evaluation: {
    readonly of: 'test' | 'validation';
    readonly findings: Findings;
    /** the most confident ones */
    readonly mistakes: readonly Tile[];
  } | null;
  readonly prototypes: {
    readonly findings: PrototypeFindings;
    /** the image nearest to each */
    readonly tiles: readonly Tile[];
  } | null;
}

/** An image with what is to be said of it. */
export interface Tile {
  /** address of the picture */
  readonly picture: string;
  /** below it, a line each */
  readonly lines: readonly string[];
  /** for those who point at it or do not see it */
  readonly description: string;
}

/** Of more classes, those with the most errors are shown. */
const MOST_CLASSES = 30;

/** So many small tiles stand side by side on the narrowest screen. */
const FEW_TILES = 6;

/** The file's text. */
export function writePage(page: Page): string {
  const { run } = page;
  const cards = [...curves(page), ...evaluationCards(page), ...prototypeCards(page), ...mistakeCards(page)];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeText(run.name)} – featmatch</title>
<style>${STYLE}</style>
</head>
<body>
${header(page)}
<main>
${cards.join('\n')}
</main>
${footer(run)}
</body>
</html>
`;
}

interface Card {
  readonly title: string;
  readonly content: string;
  readonly note?: string;
  /** takes a whole row */
  readonly isWide?: boolean;
}

function card({ title, content, note, isWide }: Card): string {
  const below = note === undefined ? '' : `<p class="note">${escapeText(note)}</p>`;
  return `<section${isWide ? ' class="wide"' : ''}><h2>${escapeText(title)}</h2>${content}${below}</section>`;
}

function header({ run, evaluation, metrics }: Page): string {
  const { config, record, status } = run;
  const last = metrics.at(-1)?.step ?? 0;
  const facts: [string, string][] = [
    ['algorithm', config.algorithm?.name ?? ''],
    ['data', config.data?.name ?? ''],
    ['labels', describeLabels(config.data)],
    ['steps', `${formatNumber(last)} of ${formatNumber(config.steps ?? 0)}`],
    ['seed', String(record.seed)],
    ['network', config.model?.name ?? ''],
    ['training', duration(record.results?.trainingSeconds ?? record.seconds)],
  ];
  const list = facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeText(value)}</dd></div>`);
  const accuracy =
    evaluation === null
      ? ''
      : `<p class="result"><strong>${percent(evaluation.findings.accuracy)}</strong> of ` +
        `${formatNumber(evaluation.findings.images)} ${evaluation.of} images are right</p>`;
  const unfinished =
    status === 'finished' ? '' : `<p class="status">This run is not finished: ${status}.</p>`;
  return `<header><h1>${escapeText(run.name)}</h1>${accuracy}${unfinished}<dl>${list.join('')}</dl></header>`;
}

function footer({ record, folder }: StoredRun): string {
  const { versions, machine, startedAt } = record;
  const facts = [
    folder,
    `started ${startedAt.slice(0, 16).replace('T', ' ')} UTC`,
    `featmatch ${versions.featmatch}${versions.commit === null ? '' : ` (${versions.commit.slice(0, 7)})`}`,
    `libtorch ${versions.libtorch}`,
    `Node ${versions.node}`,
    `${machine.cpu}, ${machine.threads} threads`,
  ];
  return `<footer>${facts.map((fact) => `<span>${escapeText(fact)}</span>`).join('')}</footer>`;
}

function curves({ metrics, run }: Page): string[] {
  const steps = run.config.steps ?? 0;
  const of = (name: string) => pointsOf(metrics, (line) => line[name]);
  const losses = [...new Set(metrics.flatMap((line) => Object.keys(line)))]
    .filter((name) => name.startsWith('loss'))
    .map((name, color) => ({
      name: name === 'loss' ? 'all' : (METRICS[name]?.meaning ?? name),
      color,
      points: of(name),
    }));
  const accuracies = [
    { name: 'validation images', color: 0, points: of('validationAccuracy') },
    { name: 'test images', color: 1, points: of('testAccuracy') },
  ];
  const least = Math.min(1, ...accuracies.flatMap(({ points }) => points.map(([, y]) => y)));
  const pseudoLabels = [
    { name: 'coverage: share that counts', color: 0, points: of('coverage') },
    { name: 'mean confidence', color: 1, points: of('confidence') },
    {
      name: 'accuracy of those that count (diagnostic)',
      color: 2,
      isDashed: true,
      points: pointsOf(metrics, ({ hiddenCorrect, coverage = 1 }) =>
        typeof hiddenCorrect === 'number' && Number(coverage) > 0 ? hiddenCorrect / Number(coverage) : null,
      ),
    },
  ];
  return [
    ...chartCard('Loss', losses, { yLabel: 'loss', steps }),
    // A single measurement, that of the end, stands above.
    ...chartCard(
      'Accuracy',
      accuracies.filter(({ points }) => points.length > 1),
      {
        yLabel: 'accuracy (%)',
        yDomain: [Math.floor(20 * least - 0.5) / 20, 1],
        steps,
        format: (value) => formatNumber(100 * value),
      },
    ),
    ...chartCard('Learning rate', [{ name: 'learning rate', color: 0, points: of('learningRate') }], {
      yLabel: 'learning rate',
      steps,
    }),
    ...chartCard(
      'Pseudo-labels',
      pseudoLabels,
      { yLabel: 'share (%)', yDomain: [0, 1], steps, format: (value) => formatNumber(100 * value) },
      pseudoLabels[2].points.length === 0
        ? undefined
        : 'The dashed line is a diagnosis by labels that training does not see; nothing is chosen by it.',
    ),
  ];
}

/** Nothing where there are no points. */
function chartCard(
  title: string,
  series: readonly Series[],
  options: Omit<Parameters<typeof lineChart>[1], 'label'>,
  note?: string,
): string[] {
  const drawn = series.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return [];
  return [card({ title, note, content: lineChart(drawn, { ...options, label: title }) })];
}

function pointsOf(
  metrics: readonly MetricsLine[],
  value: (line: MetricsLine) => unknown,
): (readonly [number, number])[] {
  return metrics.flatMap((line) => {
    const y = value(line);
    return typeof y === 'number' ? [[line.step, y] as const] : [];
  });
}

function evaluationCards({ evaluation, classes }: Page): string[] {
  if (evaluation === null) {
    return [
      card({
        title: 'Accuracy',
        content:
          '<p>There are no validation images, and test images are looked at when a run is finished.</p>',
      }),
    ];
  }
  const { findings, of } = evaluation;
  const { confusion, calibration } = findings;
  const errors = confusion.map((row, label) => row.reduce((sum, n) => sum + n, 0) - row[label]);
  const shown = classes
    .map((_, label) => label)
    .toSorted((a, b) => errors[b] - errors[a])
    .slice(0, MOST_CLASSES)
    .toSorted((a, b) => a - b);
  const only =
    shown.length < classes.length
      ? ` The ${MOST_CLASSES} classes with most errors of ${classes.length}.`
      : '';
  const names = shown.map((label) => classes[label]);
  const bars = shown.map((label) => {
    const images = confusion[label].reduce((sum, n) => sum + n, 0);
    const correct = confusion[label][label];
    return {
      name: classes[label],
      share: images === 0 ? 0 : correct / images,
      note: `${formatNumber(correct)} of ${formatNumber(images)} images are right`,
    };
  });
  return [
    card({
      title: 'Accuracy by class',
      content: barChart(bars, 'accuracy by class'),
      note: `Of ${of} images.${only}`,
    }),
    card({
      title: 'Confusion matrix',
      content: confusionMatrix(
        shown.map((label) => shown.map((predicted) => confusion[label][predicted])),
        names,
      ),
      note: `Numbers of ${of} images. Color: share of the row; that of errors is stretched.${only}`,
    }),
    card({
      title: 'Calibration',
      content: reliabilityDiagram(calibration),
      note:
        `Expected calibration error ${percent(calibration.error)} (${calibration.bins.length} bins). Bars: accuracy of ${of} ` +
        'images by confidence; red is what they lack to it, green what they have above it. Pale: fewer than 10 images. ' +
        'Below: the share of the images; the line is the mean confidence.',
    }),
  ];
}

function prototypeCards({ prototypes, classes, evaluation }: Page): string[] {
  if (prototypes === null) return [];
  const { findings, tiles } = prototypes;
  const { map, searched } = findings;
  const ofClass = classes.map((_, label) => tiles.filter((_, i) => findings.prototypes[i].label === label));
  const rows = classes.map((name, label) => {
    const own = ofClass[label];
    return `<h3>${escapeText(name)}</h3><div class="tiles small">${own.map(tile).join('')}</div>`;
  });
  return [
    card({
      title: 'Map of prototypes',
      content: featureMap(map, classes),
      note:
        `Features on the plane on which prototypes differ most (${percent(map.variance)} of their variance). Large: ` +
        `prototypes${evaluation === null || map.images.length === 0 ? '' : `; small: ${evaluation.of} images by their class`}.`,
    }),
    card({
      title: 'Prototypes and their nearest images',
      content: `<div class="prototypes">${rows.join('')}</div>`,
      note: `Of ${formatNumber(searched)} training images that whose feature has the greatest cosine with the prototype.`,
      isWide: Math.max(...ofClass.map(({ length }) => length)) > FEW_TILES || classes.length > MOST_CLASSES,
    }),
  ];
}

function mistakeCards({ evaluation }: Page): string[] {
  if (evaluation === null) return [];
  const { mistakes, findings, of } = evaluation;
  if (mistakes.length === 0) return [];
  return [
    card({
      title: 'Most confident mistakes',
      content: `<div class="tiles">${mistakes.map(tile).join('')}</div>`,
      note: `${mistakes.length} of ${formatNumber(findings.mistakes.length)} wrong ${of} images: class → what they were taken for.`,
      isWide: true,
    }),
  ];
}

function tile({ picture, lines, description }: Tile): string {
  const said = escapeText(description);
  const below = lines.length === 0 ? '' : `<figcaption>${lines.map(escapeText).join('<br>')}</figcaption>`;
  return `<figure title="${said}"><img src="${picture}" alt="${said}">${below}</figure>`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** `4:05`, in minutes and seconds; with hours where there are some */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] > 0 ? parts : parts.slice(1);
  return shown.map((part, i) => String(part).padStart(i === 0 ? 1 : 2, '0')).join(':');
}
