/**
 * The event files of a run, in a folder that TensorBoard is pointed at. Each process that works on the run begins one of
 * its own: a TensorBoard that is watching has read on in the last one, and could not follow if that became shorter.
 */
import { mkdirSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { openAppendFile } from './append-file.js';
import { explainWriteError } from './atomic.js';
import { type Event, encodeEvent, type Summary } from './events.js';
import { METRICS } from './metric-names.js';
import type { MetricsLine } from './metrics.js';

export interface EventWriter {
  /** Adds what is to be seen of a step. It reaches the file after a second at most, as long as more keeps coming. */
  append(step: number, values: readonly Summary[]): void;
  /** Writes what is buffered, down to the disk, and gives the length of all files together, from where a later process goes on. */
  save(): number;
  close(): void;
}

/**
 * Begins an event file in a folder, which is made if need be.
 * @param start where training goes on: the steps done, and the length of all event files then; what is behind is removed
 * @throws {InputError} where there is less than that, or the folder cannot be written
 */
export function openEvents(folder: string, start: { step: number; length: number }): EventWriter {
  const files = cutFiles(folder, start.length);
  const seconds = Math.floor(Date.now() / 1000);
  const number = String(files).padStart(4, '0');
  const path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${number}`);
  const file = openAppendFile(path);
  const append = (step: number, content: Event['content']) =>
    file.append(encodeEvent({ wallTime: Date.now() / 1000, step, content }));
  append(0, { kind: 'version' });
  if (files > 0) append(start.step, { kind: 'start' });
  return {
    append: (step, values) => append(step, { kind: 'summary', values }),
    save: () => start.length + file.save(),
    close: file.close,
  };
}

/** Keeps the first `length` bytes of the event files, in their order. Returns how many files are left. */
function cutFiles(folder: string, length: number): number {
  try {
    mkdirSync(folder, { recursive: true });
    let left = length;
    let files = 0;
    for (const name of readdirSync(folder)
      .filter((name) => name.includes('.tfevents.'))
      .sort()) {
      const path = join(folder, name);
      const { size } = statSync(path);
      if (left === 0) rmSync(path);
      else {
        if (size > left) truncateSync(path, left);
        files++;
      }
      left -= Math.min(size, left);
    }
    if (left === 0) return files;
    throw new InputError(
      `the event files in ${folder} have ${length - left} bytes, but had ${length} when the checkpoint was saved: bring the missing ones back`,
    );
  } catch (error) {
    throw explainWriteError(error, folder);
  }
}

/** Metrics in groups of what belongs together. */
export function summariesOf({ step: _, ...metrics }: MetricsLine): Summary[] {
  return Object.entries(metrics).flatMap(([name, value]) =>
    typeof value === 'number' ? [{ tag: `${METRICS[name]?.group ?? 'others'}/${name}`, scalar: value }] : [],
  );
}
