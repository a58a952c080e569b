/** A run that is being written: a new one, or one that goes on where it was broken off. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';
import type { Config, PartialConfig } from '../config/schema.js';
import { InputError } from '../errors.js';
import {
  explainWriteError,
  flushFolder,
  removeTemporaryFiles,
  temporaryPath,
  writeFileAtomically,
  writeJsonAtomically,
} from './atomic.js';
import { describeMachine, describeVersions } from './environment.js';
import { type EventWriter, openEvents, summariesOf } from './event-files.js';
import { acquireLock, type Lock } from './lock.js';
import { type MetricsWriter, openMetrics } from './metrics.js';
import {
  type InitialWeightsRecord,
  RECORD_FORMAT,
  type RunRecord,
  type RunResults,
  type SplitRecord,
} from './record.js';
import { listCheckpoints, runPaths } from './run-folder.js';
import { readRun, type StoredRun } from './stored-run.js';

interface SessionOptions {
  /** The engine that will compute: libtorch's version, and the threads that it uses. */
  readonly engine: { readonly version: string; readonly threads: number };
  /** Processes that train together, of which this one writes. Default 1. */
  readonly processes?: number;
  /** Default: the command line of this process. */
  readonly command?: readonly string[];
}

export interface CreateRunOptions extends SessionOptions {
  readonly config: Config;
  readonly split: SplitRecord;
  /** Default: none, drawn at random. */
  readonly initialWeights?: InitialWeightsRecord;
  /** Exactly this folder, which must not exist; without it, a new one in `root` by date, name and number. */
  readonly folder?: string;
  /** Default `runs`. */
  readonly root?: string;
  /** Letters, digits, `.`, `_` and `-`. Default: algorithm, data set and number of labels. */
  readonly name?: string;
}

export interface ResumeRunOptions extends SessionOptions {
  /**
   * Finds what was saved last: the training steps done, and the lengths of the metrics and of the event files at that
   * moment. Called when nobody else can write into the folder any more.
   */
  restore(): Saved;
}

/** Where a run goes on. */
interface Saved {
  readonly step: number;
  /** bytes */
  readonly metricsLength: number;
  readonly eventsLength: number;
}

/** A run that is being written. Exactly one of `finish`, `fail` and `interrupt` ends it and closes the metrics. */
export interface Run {
  readonly folder: string;
  /** Lines that are appended go to TensorBoard as well, where it is wanted. */
  readonly metrics: MetricsWriter;
  /** for what TensorBoard shows beside metrics; null where it is not wanted */
  readonly events: EventWriter | null;
  /** Records that the checkpoint of a step is saved, and the time up to here. */
  saved(step: number): void;
  /** Ends it with final numbers by name. */
  finish(results: RunResults): void;
  /** Ends it with the error's message; where even that cannot be written, silently, as the error says what matters. */
  fail(error: unknown): void;
  /** Ends it before its last step, by the user's wish. */
  interrupt(): void;
}

/**
 * Makes a run folder and writes what is known at the start.
 *
 * @throws {InputError} where `folder` exists, the name has other characters, or the folder cannot be written
 */
export function createRun(options: CreateRunOptions): Run {
  const { config, split, initialWeights = null } = options;
  const { name = defaultName(config), root = 'runs' } = options;
  checkName(name);
  const session = describeSession(options);
  const record: RunRecord = {
    format: RECORD_FORMAT,
    name,
    status: 'running',
    seed: config.seed,
    initialWeights,
    ...session,
    step: 0,
    seconds: 0,
    cpuSeconds: 0,
    resumed: [],
    endedAt: null,
    error: null,
    results: null,
  };
  const writeFiles = (folder: string) => {
    const paths = runPaths(folder);
    mkdirSync(paths.checkpoints);
    writeJsonAtomically(paths.config, config);
    writeFileAtomically(paths.split, encodeSplit(split));
    writeJsonAtomically(paths.record, record);
  };
  const numbered = join(root, `${session.startedAt.slice(0, 10)}-${name}`);
  const folder = createFolderAtomically(options.folder ?? numbered, writeFiles, {
    isNumbered: options.folder === undefined,
  });
  const lock = acquireLock(folder);
  const start = { step: 0, metricsLength: 0, eventsLength: 0 };
  return releasedOnError(lock, () => writeRun(folder, record, { lock, start, config }));
}

/** @throws {InputError} where the folder is no run, or the run is finished */
export function readUnfinishedRun(folder: string): StoredRun {
  const run = readRun(folder);
  if (run.record.status === 'finished') {
    throw new InputError(`the run ${folder} is finished: there is nothing to resume`);
  }
  return run;
}

/**
 * Goes on with a run that did not finish. Metrics of later steps than the one that is restored are removed, as these are
 * made once more.
 *
 * @throws {InputError} where the folder is no run, the run is finished, another process is at it, or it cannot be written
 */
export function resumeRun(folder: string, options: ResumeRunOptions): Run {
  readUnfinishedRun(folder); // before there is a lock, since a folder that is no run gets none
  const lock = acquireLock(folder);
  return releasedOnError(lock, () => {
    const { record, config } = readUnfinishedRun(folder);
    removeTemporaryFiles(folder);
    removeTemporaryFiles(runPaths(folder).checkpoints);
    const start = options.restore();
    const { step } = start;
    for (const later of listCheckpoints(folder).filter((checkpoint) => checkpoint.step > step)) {
      renameSync(later.path, `${later.path}.broken`); // or it would count as the newest
    }
    const resumed = [...record.resumed, { ...describeSession(options), step }];
    const goingOn: RunRecord = { ...record, status: 'running', step, resumed, endedAt: null, error: null };
    writeJsonAtomically(runPaths(folder).record, goingOn);
    return writeRun(folder, goingOn, { lock, start, config });
  });
}

function releasedOnError<T>(lock: Lock, body: () => T): T {
  try {
    return body();
  } catch (error) {
    lock.release();
    throw error;
  }
}

function writeRun(
  folder: string,
  before: RunRecord,
  { lock, start, config }: { lock: Lock; start: Saved; config: PartialConfig },
): Run {
  const path = runPaths(folder).record;
  const file = openMetrics(runPaths(folder).metrics, start.metricsLength);
  const events = config.tensorboard
    ? openEvents(runPaths(folder).tensorboard, { step: start.step, length: start.eventsLength })
    : null;
  const metrics: MetricsWriter = {
    ...file,
    append(line) {
      file.append(line);
      events?.append(line.step, summariesOf(line));
    },
  };
  const started = performance.now();
  const cpuStarted = process.cpuUsage();
  let record = before;
  let isOver = false;

  function update(changes: Partial<RunRecord>): void {
    const { user, system } = process.cpuUsage(cpuStarted); // µs
    const seconds = before.seconds + (performance.now() - started) / 1000;
    record = { ...record, ...changes, seconds, cpuSeconds: before.cpuSeconds + (user + system) / 1e6 };
    writeJsonAtomically(path, record);
  }
  function end(changes: Partial<RunRecord>): void {
    if (isOver) throw new Error(`the run ${folder} has ended already`);
    metrics.close();
    events?.close();
    update({ ...changes, endedAt: new Date().toISOString() });
    isOver = true;
    lock.release();
  }
  return {
    folder,
    metrics,
    events,
    saved: (step) => update({ step }),
    finish: (results) => end({ status: 'finished', results }),
    fail(error) {
      try {
        end({ status: 'failed', error: error instanceof Error ? error.message : String(error) });
      } catch (later) {
        if (!(later instanceof InputError)) throw later;
        isOver = true;
        lock.release();
      }
    },
    interrupt: () => end({ status: 'interrupted' }),
  };
}

function describeSession({ engine, processes, command = process.argv }: SessionOptions) {
  return {
    command: [...command],
    versions: describeVersions(engine.version),
    machine: describeMachine(engine.threads, processes),
    startedAt: new Date().toISOString(),
  };
}

function defaultName({ algorithm, data }: Config): string {
  const { name, folder, labels, labelsPerClass } = data;
  const images =
    name === 'folder' && folder !== undefined ? parse(folder).name.replace(/[^A-Za-z0-9._-]+/g, '-') : name;
  const known = labelsPerClass === null ? (labels ?? 'all') : `${labelsPerClass}-per-class`;
  return `${algorithm.name}-${images}-${known}`;
}

function checkName(name: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new InputError(`a run cannot be named '${name}'; use letters, digits, '.', '_' and '-'`);
  }
}

/**
 * Makes a folder that is complete with its files from the moment on at which it is seen. Numbered, it is the first free
 * one of path-1, path-2, …
 * @throws {InputError} where there is something at `path` already, or it cannot be written
 */
function createFolderAtomically(
  path: string,
  writeFiles: (folder: string) => void,
  { isNumbered }: { isNumbered: boolean },
): string {
  const temporary = temporaryPath(path);
  const refusal = new InputError(
    `${path} already exists, and a run is never overwritten; choose another folder`,
  );
  if (!isNumbered && existsSync(path)) throw refusal;
  try {
    mkdirSync(dirname(path), { recursive: true });
    mkdirSync(temporary); // for itself: of a read-only file system the recursive call says that something does not exist
    writeFiles(temporary);
    for (let number = 1; ; number++) {
      const folder = isNumbered ? `${path}-${number}` : path;
      if (moveFolder(temporary, folder)) return folder;
      if (!isNumbered) throw refusal;
    }
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw explainWriteError(error, path);
  }
}

/** False where there is something already. */
function moveFolder(from: string, to: string): boolean {
  if (existsSync(to)) return false; // renaming replaces an empty folder
  try {
    renameSync(from, to);
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOTEMPTY', 'EEXIST'].includes(String(error.code)))
      return false;
    throw error;
  }
  flushFolder(dirname(to));
  return true;
}

/** One key a line: thousands of indices stay readable. */
function encodeSplit(split: SplitRecord): string {
  const lines = Object.entries(split).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}
