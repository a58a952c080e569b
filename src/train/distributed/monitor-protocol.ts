/** What a process and the thread that watches the others for it have in common. */

/** Where the thread leaves a sentence about a process that is lost, for a main thread that waits inside the engine. */
export interface Verdict {
  /** [whether there is one, its length in bytes, whether the last order is carried out] */
  readonly flags: Int32Array;
  readonly text: Uint8Array;
}

export const IS_THERE = 0;
export const LENGTH = 1;
export const IS_DONE = 2;
const MOST_BYTES = 4096;

export function createVerdict(): Verdict {
  return {
    flags: new Int32Array(new SharedArrayBuffer(3 * 4)),
    text: new Uint8Array(new SharedArrayBuffer(MOST_BYTES)),
  };
}

/** Only the first one counts: later losses follow from it. */
export function writeVerdict({ flags, text }: Verdict, { kind, sentence }: Loss): boolean {
  if (Atomics.load(flags, IS_THERE) !== 0) return false;
  const bytes = new TextEncoder().encode(JSON.stringify({ kind, sentence: sentence.slice(0, 1000) }));
  text.set(bytes.subarray(0, MOST_BYTES));
  flags[LENGTH] = Math.min(bytes.length, MOST_BYTES);
  Atomics.store(flags, IS_THERE, 1);
  Atomics.notify(flags, IS_THERE);
  return true;
}

/** Waits, asleep, for a verdict; null where there is none after so many milliseconds. */
export function awaitVerdict({ flags, text }: Verdict, milliseconds: number): Loss | null {
  Atomics.wait(flags, IS_THERE, 0, milliseconds);
  if (Atomics.load(flags, IS_THERE) === 0) return null;
  return JSON.parse(new TextDecoder().decode(text.slice(0, flags[LENGTH]))) as Loss;
}

/** Why training together is over. */
export interface Loss {
  /** whether a user interrupted it */
  readonly kind: 'failure' | 'interruption';
  /** which process, and what of it: `rank 1 on host-b failed: …` */
  readonly sentence: string;
}

/** What the thread is started with. */
export interface MonitorOptions {
  readonly rank: number;
  readonly hostname: string;
  /** milliseconds of silence after which a process counts as lost */
  readonly silence: number;
  readonly verdict: Verdict;
  /** this host, for the first process, which listens; else where the first process listens */
  readonly address: string;
  readonly port: number;
}

/** From the main thread: the process fails, or leaves as it should. */
export type Order = { readonly fail: Loss } | 'leave';

/** Between processes, a line of JSON each. */
export type Message =
  | { readonly hello: { readonly rank: number; readonly hostname: string } }
  | { readonly beat: true }
  | { readonly leave: true }
  | { readonly lost: Loss };
