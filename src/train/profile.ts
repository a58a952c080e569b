/**
 * What some steps of training did when, as a trace in the Trace Event Format, which chrome://tracing and
 * ui.perfetto.dev draw: operators and parts of the step in the thread of training, batches in the loader's.
 */
import type { BatchMade } from '../data/loader.js';
import { runPaths, writeFileAtomically } from '../runs/index.js';
import { type Profile, startProfiling, stopProfiling } from '../tensor/index.js';

export interface Profiler {
  /** To be called before each step. */
  beforeStep(step: number): void;
  /** Writes what there is, if it was not written yet. */
  end(): void;
  readonly onBatchMade?: (made: BatchMade) => void;
}

const NO_PROFILER: Profiler = { beforeStep() {}, end() {} };

/** Steps that are left out: in the first ones code is compiled and memory comes from the system. */
const WARM_UP = 10;

/** Of steps `from` to `to` that are to be made, `count` are profiled, if there are so many. */
export function createProfiler(
  folder: string,
  { from, to, count }: { from: number; to: number; count: number },
): Profiler {
  if (count === 0) return NO_PROFILER;
  const first = Math.max(from, Math.min(from + WARM_UP, to - count));
  const batches: BatchMade[] = [];
  let isRunning = false;

  function end(): void {
    if (!isRunning) return;
    isRunning = false;
    writeFileAtomically(runPaths(folder).profile, traceOf(stopProfiling(), batches));
  }
  return {
    beforeStep(step) {
      if (step === first + count) end();
      if (step !== first) return;
      startProfiling();
      isRunning = true;
    },
    end,
    onBatchMade(made) {
      if (isRunning) batches.push(made);
    },
  };
}

const PROCESS = 1;
const FIRST_LOADER_THREAD = 1000; // beyond libtorch's numbers

function traceOf({ thread, operators, parts }: Profile, batches: readonly BatchMade[]): string {
  const spans = [
    ...parts.map((span) => ({ ...span, thread, category: 'training' })),
    ...operators.map((span) => ({ ...span, category: 'operator' })),
    ...batches.map(({ step, worker, start, end }) => ({
      name: `views of step ${step + 1}`,
      category: 'loader',
      thread: FIRST_LOADER_THREAD + worker,
      start,
      end,
    })),
  ];
  const zero = spans.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY);
  const nameOf = (number: number) => {
    if (number === thread) return 'training';
    return number < FIRST_LOADER_THREAD
      ? `thread ${number} of libtorch`
      : `loader ${number - FIRST_LOADER_THREAD}`;
  };
  const names = [...new Set(spans.map((span) => span.thread))].map((number) => ({
    name: 'thread_name',
    ph: 'M', // metadata
    pid: PROCESS,
    tid: number,
    args: { name: nameOf(number) },
  }));
  const events = spans.map(({ name, category, thread, start, end }) => ({
    name,
    cat: category,
    ph: 'X', // a complete event: begin and duration, in µs
    ts: start - zero,
    dur: end - start,
    pid: PROCESS,
    tid: thread,
  }));
  return JSON.stringify({ displayTimeUnit: 'ms', traceEvents: [...names, ...events] });
}
