/** What runs when: operators of libtorch, and named parts of our own work. Costs nothing while nobody asks. */
import { native } from './native.js';

/** A piece of work. Times are in µs of the monotonic clock of `process.hrtime`. */
export interface Span {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** What ran between `startProfiling` and `stopProfiling`, what ended first first. */
export interface Profile {
  /** the number of the thread that all of TypeScript runs in */
  readonly thread: number;
  /** operators, forward and backward; those that others call lie within them */
  readonly operators: readonly (Span & { readonly thread: number })[];
  /** what `profiled` and `recordSpan` told of */
  readonly parts: readonly Span[];
}

let thread = 0;
let parts: Span[] | null = null;

/** @throws Error where it was started already */
export function startProfiling(): void {
  thread = native().startProfiling();
  parts = [];
}

export function stopProfiling(): Profile {
  const profile = { thread, operators: native().stopProfiling(), parts: parts ?? [] };
  parts = null;
  return profile;
}

/** Runs `body`, as a part with a name. */
export function profiled<T>(name: string, body: () => T): T {
  if (parts === null) return body();
  const start = monotonicTime();
  try {
    return body();
  } finally {
    recordSpan(name, start);
  }
}

/** A part that is over, for work that `profiled` cannot enclose. @param start as {@link monotonicTime} said it */
export function recordSpan(name: string, start: number): void {
  parts?.push({ name, start, end: monotonicTime() });
}

/** The monotonic clock, in µs. */
export function monotonicTime(): number {
  return Number(process.hrtime.bigint()) / 1000;
}
