/**
 * Progress on stderr, so that stdout holds results alone: a bar on a terminal, elsewhere a plain line now and then.
 */
import { SingleBar } from 'cli-progress';
import { formatDuration } from './format.js';

export interface ProgressOptions {
  /** What is being done, in front of the bar. */
  readonly label: string;
  /** `update` counts up to it; null where nobody knows. */
  readonly total: number | null;
  /** Where `update` starts from, to continue. Default 0. */
  readonly start?: number;
  /** How to write what is done and the total. Default: whole numbers. */
  readonly format?: (value: number) => string;
  readonly stream?: NodeJS.WriteStream;
}

export interface Progress {
  /** @param details rate, losses: what to show beside the bar */
  update(done: number, details?: string): void;
  /** A line that stays above the bar. */
  log(line: string): void;
  /** Ends it, with what was shown last. */
  stop(): void;
}

/** On a stream that is no terminal, this long between lines. */
const LINE_MILLISECONDS = 10_000;

export function createProgress(options: ProgressOptions): Progress {
  const { stream = process.stderr } = options;
  return stream.isTTY ? createBar(options, stream) : createLines(options, stream);
}

/** A training step beside the bar: `265 images/s  loss 0.1234`. */
export function formatTraining(imagesPerSecond: number, losses: Readonly<Record<string, number>>): string {
  const parts = Object.entries(losses).map(([name, value]) => `${name} ${value.toPrecision(3)}`);
  return [`${Math.round(imagesPerSecond)} images/s`, ...parts].join('  ');
}

/** Turns a count that grows from `start` into a rate per second, over about the last `windowSeconds`. */
export function createRateMeter({ windowSeconds = 20, start = 0 } = {}): (count: number) => number {
  const samples = [{ time: performance.now(), count: start }];
  return (count) => {
    const now = performance.now();
    samples.push({ time: now, count });
    while (samples.length > 2 && samples[1].time < now - 1000 * windowSeconds) samples.shift();
    const [first] = samples;
    return now > first.time ? (1000 * (count - first.count)) / (now - first.time) : 0;
  };
}

function createBar(options: ProgressOptions, stream: NodeJS.WriteStream): Progress {
  const { label, total, start = 0, format = String } = options;
  const secondsLeft = estimateSecondsLeft(options);
  const bar = new SingleBar({
    stream,
    format:
      total === null ? '{label}  {done}  {details}' : '{label}  {bar}  {done}/{all}  {left} left  {details}',
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    fps: 5,
    forceRedraw: true,
    linewrap: false,
  });
  const payload = (done: number, details: string) => ({
    label,
    done: format(done),
    all: format(total ?? done),
    left: formatDuration(secondsLeft(done)),
    details,
  });
  let isActive = true;
  let last = { done: start, details: '' };
  bar.start(total ?? 1, start, payload(start, ''));
  return {
    update(done, details = last.details) {
      last = { done, details };
      bar.update(done, payload(done, details));
    },
    log(line) {
      // Over the bar's line, which the next update draws again below.
      stream.write(`\r\u001b[K${line}\n`);
      bar.update(last.done, payload(last.done, last.details));
    },
    stop() {
      if (isActive) bar.stop();
      isActive = false;
    },
  };
}

function createLines(options: ProgressOptions, stream: NodeJS.WriteStream): Progress {
  const { label, total, start = 0, format = String } = options;
  const secondsLeft = estimateSecondsLeft(options);
  let lastLine = performance.now();
  let shown = start;
  let last = { done: start, details: '' };
  const print = () => {
    const { done, details } = last;
    const all = total === null ? '' : `/${format(total)}`;
    const left = total !== null && done < total ? `  ${formatDuration(secondsLeft(done))} left` : '';
    stream.write(`${label}  ${format(done)}${all}${left}  ${details}`.trimEnd().concat('\n'));
    lastLine = performance.now();
    shown = done;
  };
  return {
    update(done, details = last.details) {
      last = { done, details };
      if (performance.now() - lastLine >= LINE_MILLISECONDS) print();
    },
    log(line) {
      stream.write(`${line}\n`);
    },
    stop() {
      if (last.done !== shown) print();
    },
  };
}

/** Assumes that the rest goes as fast as what was done since the start. */
function estimateSecondsLeft({ total, start = 0 }: ProgressOptions): (done: number) => number {
  const startTime = performance.now();
  return (done) => {
    if (done <= start || total === null) return Number.POSITIVE_INFINITY;
    return ((performance.now() - startTime) / 1000 / (done - start)) * (total - done);
  };
}
