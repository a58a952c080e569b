/**
 * One process at a time writes into a run folder: `lock.json` says which. A process that was killed leaves its lock
 * behind, which no longer counts once that process is seen to be gone, by its number and its start on this host.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../errors.js';
import { explainWriteError } from './atomic.js';

const ownerSchema = z.object({
  host: z.string(),
  processId: z.number(),
  /** When the process started, in its system's words, since numbers are given again; null where that cannot be told. */
  processStart: z.string().nullable(),
  /** ISO 8601, UTC. */
  lockedAt: z.string(),
});
type Owner = z.output<typeof ownerSchema>;

export interface Lock {
  /** Sets the folder free. Does nothing the second time. */
  release(): void;
}

/** A lock without readable content is that of a process that is just writing it, for this long at most. */
const WRITING_MILLISECONDS = 5000;

/**
 * Takes a folder for this process.
 * @throws {InputError} where another process has it, which is named, or the folder cannot be written to
 */
export function acquireLock(folder: string): Lock {
  const path = lockPath(folder);
  const owner: Owner = {
    host: hostname(),
    processId: process.pid,
    processStart: startOf(process.pid) ?? null,
    lockedAt: new Date().toISOString(),
  };
  const content = `${JSON.stringify(owner)}\n`;
  while (!createFile(path, content)) {
    const held = readIfThere(path);
    if (held === undefined) continue; // set free this moment
    if (isHeld(held, path)) throw refusal(folder, held);
    removeStale(path, held);
  }
  return {
    release() {
      if (readIfThere(path) === content) rmSync(path, { force: true });
    },
  };
}

/** Whether a process writes into the folder; also where it runs on another host, so that nobody here can tell. */
export function isLocked(folder: string): boolean {
  const held = readIfThere(lockPath(folder));
  return held !== undefined && isHeld(held, lockPath(folder));
}

function lockPath(folder: string): string {
  return join(folder, 'lock.json');
}

/** False where it exists already. */
function createFile(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    if (errorCode(error) === 'ENOSPC') rmSync(path, { force: true }); // its name found room, its content did not
    throw explainWriteError(error, path);
  }
}

/**
 * Several processes may find the same stale lock, and one that is late must not take away the new lock of another. So
 * it is removed only by whoever made a file that is named after its content, and only where it still is that one.
 */
function removeStale(path: string, stale: string): void {
  const right = `${path}.${createHash('sha256').update(stale).digest('hex').slice(0, 16)}`;
  if (!createFile(right, '')) {
    const since = statSync(right, { throwIfNoEntry: false })?.mtimeMs;
    if (since !== undefined && Date.now() - since > WRITING_MILLISECONDS) rmSync(right, { force: true }); // it was killed
    sleep(10);
    return;
  }
  try {
    if (readIfThere(path) === stale) rmSync(path);
  } finally {
    rmSync(right, { force: true });
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function isHeld(content: string, path: string): boolean {
  const owner = parseOwner(content);
  if (owner === undefined) {
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    return written !== undefined && Date.now() - written < WRITING_MILLISECONDS;
  }
  if (owner.host !== hostname()) return true;
  const start = startOf(owner.processId);
  return (
    start !== undefined && (start === null || owner.processStart === null || start === owner.processStart)
  );
}

function refusal(folder: string, content: string): InputError {
  const owner = parseOwner(content);
  if (owner === undefined) return new InputError(`${folder} is just being taken by another process`);
  const { processId, host, lockedAt } = owner;
  const advice =
    host === hostname()
      ? 'wait for it, or end it'
      : `wait for it, or delete ${lockPath(folder)} if it has ended, which cannot be seen from here`;
  return new InputError(`process ${processId} on ${host} works in ${folder} since ${lockedAt}: ${advice}`);
}

function parseOwner(content: string): Owner | undefined {
  try {
    return ownerSchema.safeParse(JSON.parse(content)).data;
  } catch {
    return undefined; // not JSON
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errorCode(error) ?? '')) return undefined; // ESRCH: of a process that just ended
    throw error;
  }
}

/** When a process started; null where that cannot be told, undefined where there is no such process. */
function startOf(processId: number): string | null | undefined {
  if (process.platform === 'linux') return startOnLinux(processId);
  if (!isAlive(processId)) return undefined;
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(processId)], { encoding: 'utf8' }).trim();
  } catch {
    return null; // Windows has no ps
  }
}

/** The boot, and the clock ticks from it to the start of the process: field 22 of proc(5)'s stat. */
function startOnLinux(processId: number): string | undefined {
  const stat = readIfThere(`/proc/${processId}/stat`);
  // "4711 (name, which may hold spaces and brackets) S 1 …"
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  if (state === undefined || state === 'Z') return undefined; // gone, or killed and nobody has asked how it ended
  return `${readIfThere('/proc/sys/kernel/random/boot_id')?.trim()} ${fields[18]}`;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0); // asks, and sends nothing
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM'; // it is, and another user's
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
