/** Finding and reading run folders, also those that were broken off or are still being written. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { z } from 'zod';
import type { PartialConfig } from '../config/schema.js';
import { InputError } from '../errors.js';
import { isLocked } from './lock.js';
import { type MetricsLine, readMetrics } from './metrics.js';
import {
  type RunRecord,
  type RunStatus,
  runRecordSchema,
  type SplitRecord,
  splitRecordSchema,
} from './record.js';
import { runPaths } from './run-folder.js';

export interface StoredRun {
  readonly folder: string;
  /** The folder's own name. */
  readonly name: string;
  readonly record: RunRecord;
  /** As recorded, but `interrupted` where it is recorded as running and its process is gone. */
  readonly status: RunStatus;
  /** The settings as they stand in the file, unchecked: `resolveConfig({ file })` checks them. */
  readonly config: PartialConfig;
}

/**
 * Reads what a run folder says of itself.
 * @throws {InputError} where it is no run folder, or one of its files is broken; it names the file
 */
export function readRun(folder: string): StoredRun {
  const paths = runPaths(folder);
  if (!existsSync(paths.record)) {
    throw new InputError(
      `${folder} is not a run: it has no run.json; "featmatch runs" lists the runs there are`,
    );
  }
  const record = readChecked(paths.record, runRecordSchema);
  const config = readJson(paths.config);
  if (typeof config !== 'object' || config === null)
    throw new InputError(`${paths.config} is not a JSON object`);
  // Recorded as running, and yet no process is at it.
  const isGone = record.status === 'running' && !isLocked(folder);
  return { folder, name: basename(folder), record, status: isGone ? 'interrupted' : record.status, config };
}

/** @throws {InputError} where the file is missing or broken */
export function readSplit(folder: string): SplitRecord {
  return readChecked(runPaths(folder).split, splitRecordSchema);
}

/** @throws {InputError} for a broken line */
export function readRunMetrics(folder: string): MetricsLine[] {
  return readMetrics(runPaths(folder).metrics);
}

export interface RunList {
  /** The earliest first. */
  readonly runs: StoredRun[];
  /** Folders that should be runs and cannot be read. */
  readonly broken: { readonly folder: string; readonly problem: string }[];
}

/** All runs directly below a folder; folders that hold something else are passed over. */
export function listRuns(root = 'runs'): RunList {
  const runs: StoredRun[] = [];
  const broken: { folder: string; problem: string }[] = [];
  for (const folder of runFolders(root)) {
    try {
      runs.push(readRun(folder));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      broken.push({ folder, problem: error.message });
    }
  }
  runs.sort((a, b) => a.record.startedAt.localeCompare(b.record.startedAt) || a.name.localeCompare(b.name));
  return { runs, broken };
}

function runFolders(root: string): string[] {
  if (!existsSync(root)) return [];
  if (!statSync(root).isDirectory()) throw new InputError(`${root} is a file; give a folder that holds runs`);
  return readdirSync(root)
    .filter((name) => !name.startsWith('.')) // what a killed process did not complete
    .map((name) => join(root, name))
    .filter((folder) => existsSync(runPaths(folder).record) || existsSync(runPaths(folder).config))
    .sort();
}

function readChecked<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  const result = schema.safeParse(readJson(path));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new InputError(`${path} is not valid: ${issue.path.join('.') || 'its content'}: ${issue.message}`);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${path} cannot be read: ${reason}`, { cause: error });
  }
}
