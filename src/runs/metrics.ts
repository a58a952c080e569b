/**
 * Metrics as JSON Lines: one object a line, each with the `step` it belongs to. Numbers that are not finite become
 * `null`, since JSON has none.
 */
import { existsSync, readFileSync } from 'node:fs';
import { InputError } from '../errors.js';
import { type AppendFile, openAppendFile } from './append-file.js';

/** One line. Names are the algorithm's; a value may be a number, a text or nothing. */
export interface MetricsLine {
  /** Training steps done when it was measured. */
  readonly step: number;
  readonly [name: string]: number | string | null;
}

export interface MetricsWriter extends Pick<AppendFile, 'save' | 'close'> {
  /** Adds a line. It reaches the file after a second at most, as long as lines keep coming. */
  append(line: MetricsLine): void;
}

/**
 * What tells how long something took. Everything else in the metrics is the same whenever configuration, data and machine
 * are.
 */
const TIMES = ['seconds'];

/** The lines without times: what two runs of the same configuration have in common. */
export function withoutTimes(lines: readonly MetricsLine[]): MetricsLine[] {
  return lines.map(
    (line) =>
      Object.fromEntries(Object.entries(line).filter(([name]) => !TIMES.includes(name))) as MetricsLine,
  );
}

/**
 * Opens a metrics file to write on after its first `length` bytes, and creates it if need be. Errors as
 * {@link openAppendFile}.
 */
export function openMetrics(path: string, length = 0): MetricsWriter {
  const file = openAppendFile(path, length);
  return { ...file, append: (line) => file.append(`${JSON.stringify(line)}\n`) };
}

/**
 * All lines of a metrics file; none where there is no file. An unfinished last line, which is still being written or
 * was when its process was killed, is left out.
 *
 * @throws {InputError} for any other line that is not a JSON object with a step; it names file and line
 */
export function readMetrics(path: string): MetricsLine[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.slice(0, -1).map((text, index) => {
    const line = parseLine(text);
    if (line === undefined) {
      throw new InputError(`${path}, line ${index + 1}: not a line of metrics (a JSON object with a step)`);
    }
    return line;
  });
}

function parseLine(text: string): MetricsLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    const isLine =
      typeof line === 'object' && line !== null && 'step' in line && typeof line.step === 'number';
    return isLine ? (line as MetricsLine) : undefined;
  } catch {
    return undefined;
  }
}
