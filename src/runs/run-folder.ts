/**
 * A run is a folder of plain files:
 *
 *     config.json           the resolved configuration; `--config <this file>` repeats the run
 *     run.json              status, seed, versions, machine, command line, times, final results
 *     split.json            which images were labeled or held out for validation
 *     metrics.jsonl         one line per logged step
 *     checkpoints/          step-00001500.safetensors; best.safetensors where the best weights are kept
 *     predictions.csv
 */
import { mkdirSync } from 'node:fs';
import { dirname, join, parse } from 'node:path';
import type { Config } from '../config/schema.js';
import { InputError } from '../errors.js';
import { explainWriteError, writeFileAtomically, writeJsonAtomically } from './atomic.js';
import { describeMachine, describeVersions } from './environment.js';
import { type MetricsWriter, openMetrics } from './metrics.js';
import { RECORD_FORMAT, type RunRecord, type RunResults, type SplitRecord } from './record.js';

/** The paths inside a run folder. */
export function runPaths(folder: string) {
  return {
    config: join(folder, 'config.json'),
    record: join(folder, 'run.json'),
    split: join(folder, 'split.json'),
    metrics: join(folder, 'metrics.jsonl'),
    checkpoints: join(folder, 'checkpoints'),
    bestCheckpoint: join(folder, 'checkpoints', 'best.safetensors'),
    predictions: join(folder, 'predictions.csv'),
  } as const;
}

/** Where the checkpoint after `step` training steps belongs. */
export function checkpointPath(folder: string, step: number): string {
  return join(runPaths(folder).checkpoints, `step-${String(step).padStart(8, '0')}.safetensors`);
}

export interface CreateRunOptions {
  readonly config: Config;
  readonly split: SplitRecord;
  /** The engine that will compute: libtorch's version, and the threads that it uses. */
  readonly engine: { readonly version: string; readonly threads: number };
  /** Exactly this folder, which must not exist; without it, a new one in `root` by date, name and number. */
  readonly folder?: string;
  /** Default `runs`. */
  readonly root?: string;
  /** Letters, digits, `.`, `_` and `-`. Default: algorithm, data set and number of labels. */
  readonly name?: string;
  /** Default: the command line of this process. */
  readonly command?: readonly string[];
}

/** A run that is being written. Exactly one of `finish`, `fail` and `interrupt` ends it and closes the metrics. */
export interface Run {
  readonly folder: string;
  readonly metrics: MetricsWriter;
  /** Ends it with final numbers by name. */
  finish(results: RunResults): void;
  /** Ends it with the error's message. */
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
  const { config, split, engine, command = process.argv } = options;
  const { name = defaultName(config), root = 'runs' } = options;
  checkName(name);
  const startedAt = new Date().toISOString();
  const folder = options.folder ?? createNumberedFolder(root, `${startedAt.slice(0, 10)}-${name}`);
  if (options.folder !== undefined && !createFolder(options.folder)) {
    throw new InputError(
      `${options.folder} already exists, and a run is never overwritten; choose another folder`,
    );
  }
  const paths = runPaths(folder);
  mkdirSync(paths.checkpoints);
  writeJsonAtomically(paths.config, config);
  writeFileAtomically(paths.split, encodeSplit(split));
  let record: RunRecord = {
    format: RECORD_FORMAT,
    name,
    status: 'running',
    seed: config.seed,
    command: [...command],
    versions: describeVersions(engine.version),
    machine: describeMachine(engine.threads),
    processId: process.pid,
    startedAt,
    endedAt: null,
    error: null,
    results: null,
  };
  writeJsonAtomically(paths.record, record); // last: from now on it counts as a run
  const metrics = openMetrics(paths.metrics);

  function end(changes: Partial<RunRecord>): void {
    if (record.status !== 'running') throw new Error(`the run ${folder} has ended already`);
    record = { ...record, ...changes, endedAt: new Date().toISOString() };
    try {
      metrics.close();
    } finally {
      writeJsonAtomically(paths.record, record);
    }
  }
  return {
    folder,
    metrics,
    finish: (results) => end({ status: 'finished', results }),
    fail: (error) => end({ status: 'failed', error: error instanceof Error ? error.message : String(error) }),
    interrupt: () => end({ status: 'interrupted' }),
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

/** The first free one of prefix-1, prefix-2, …; whoever makes the folder owns the number. */
function createNumberedFolder(root: string, prefix: string): string {
  for (let number = 1; ; number++) {
    const folder = join(root, `${prefix}-${number}`);
    if (createFolder(folder)) return folder;
  }
}

/** False where it exists already. */
function createFolder(folder: string): boolean {
  try {
    mkdirSync(dirname(folder), { recursive: true });
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw explainWriteError(error, folder);
  }
}

/** One key a line: thousands of indices stay readable. */
function encodeSplit(split: SplitRecord): string {
  const lines = Object.entries(split).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}
