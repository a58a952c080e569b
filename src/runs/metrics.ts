/**
 * Metrics as JSON Lines: one object a line, each with the `step` it belongs to. Numbers that are not finite become
 * `null`, since JSON has none.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { InputError } from '../errors.js';
import { explainWriteError } from './atomic.js';

/** One line. Names are the algorithm's; a value may be a number, a text or nothing. */
export interface MetricsLine {
  /** Training steps done when it was measured. */
  readonly step: number;
  readonly [name: string]: number | string | null;
}

export interface MetricsWriter {
  /** Adds a line. It reaches the file after a second at most, as long as lines keep coming. */
  append(line: MetricsLine): void;
  /**
   * Writes what is buffered, down to the disk, and gives the file's length in bytes, from where a later writer can
   * continue. @throws {InputError} where the file cannot be written
   */
  save(): number;
  /** Writes what is buffered, and ends. Does nothing the second time. */
  close(): void;
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

const FLUSH_CHARACTERS = 64 * 1024;
const FLUSH_MILLISECONDS = 1000;

/**
 * Opens a metrics file to write on after its first `length` bytes, and creates it if need be. What stands behind them,
 * such as lines of steps that will be made once more, is removed.
 *
 * @throws {InputError} where the file is shorter, or cannot be written
 */
export function openMetrics(path: string, length = 0): MetricsWriter {
  const writing = <T>(operation: () => T): T => {
    try {
      return operation();
    } catch (error) {
      throw explainWriteError(error, path);
    }
  };
  const file = writing(() => openSync(path, 'a'));
  const found = fstatSync(file).size;
  if (found < length) {
    closeSync(file);
    throw new InputError(
      `${path} has ${found} bytes, but had ${length} when the checkpoint was saved: bring the missing lines back`,
    );
  }
  writing(() => ftruncateSync(file, length));
  let buffered = '';
  let lastFlush = performance.now();
  let isOpen = true;

  function flush(): void {
    const bytes = Buffer.from(buffered);
    buffered = ''; // also where writing fails: what was written already must not be written again
    lastFlush = performance.now();
    writing(() => {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
    });
  }

  return {
    append(line) {
      buffered += `${JSON.stringify(line)}\n`;
      const isDue = performance.now() - lastFlush >= FLUSH_MILLISECONDS;
      if (isDue || buffered.length >= FLUSH_CHARACTERS) flush();
    },
    save() {
      flush();
      writing(() => fsyncSync(file));
      return fstatSync(file).size;
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      try {
        flush();
      } finally {
        closeSync(file);
      }
    },
  };
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
