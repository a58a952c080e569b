import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { acquireLock, isLocked } from './lock.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'featmatch-lock-'));
  path = join(folder, 'lock.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes this process's lock with some changes, as another process would have. */
function writeLock(changes: Record<string, unknown>): void {
  const lock = acquireLock(folder);
  const owner = JSON.parse(readFileSync(path, 'utf8'));
  lock.release();
  writeFileSync(path, JSON.stringify({ ...owner, ...changes }));
}

/** Expects that the folder can be taken although there is a lock. */
function expectStale(): void {
  expect(isLocked(folder)).toBe(false);
  const lock = acquireLock(folder);
  expect(JSON.parse(readFileSync(path, 'utf8')).processId).toBe(process.pid);
  lock.release();
  expect(readdirSync(folder)).toEqual([]);
}

describe('the lock of a folder', () => {
  it('is had by one at a time, and says who that is', () => {
    const lock = acquireLock(folder);
    expect(isLocked(folder)).toBe(true);
    expect(() => acquireLock(folder)).toThrow(InputError);
    expect(() => acquireLock(folder)).toThrow(
      new RegExp(`^process ${process.pid} on \\S+ works in ${folder} since 20\\S+Z: wait for it, or end it$`),
    );
    lock.release();
    expect(existsSync(path)).toBe(false);
    expect(isLocked(folder)).toBe(false);
  });

  it('is released once: later it may be that of another', () => {
    const first = acquireLock(folder);
    first.release();
    writeLock({ lockedAt: 'later' });
    first.release();
    expect(existsSync(path)).toBe(true);
  });

  it('no longer counts where its process has ended', () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeLock({ processId: pid });
    expectStale();
  });

  it('no longer counts where its process was killed and nobody has asked how it ended', async () => {
    // The shell has a child that is killed, and is itself too busy to notice.
    const parent = spawn('sh', ['-c', 'sleep 60 & kill -9 $!; echo $!; exec sleep 60'], { stdio: 'pipe' });
    const [text] = await once(parent.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, 50));
    writeLock({ processId: Number(text), processStart: null });
    expectStale();
    parent.kill('SIGKILL');
  });

  it('no longer counts where its number was given to another process', () => {
    writeLock({ processStart: 'long ago' });
    expectStale();
  });

  it('of another host counts, as its processes cannot be seen, and what to do is said', () => {
    writeLock({ host: 'elsewhere', processId: 2 ** 30 });
    expect(isLocked(folder)).toBe(true);
    expect(() => acquireLock(folder)).toThrow(
      /^process 1073741824 on elsewhere works in .*delete .*lock\.json if/,
    );
  });

  it('without content is that of a process that begins, or of one that was killed then', () => {
    writeFileSync(path, '');
    expect(isLocked(folder)).toBe(true);
    expect(() => acquireLock(folder)).toThrow(/is just being taken by another process/);
    const before = new Date(Date.now() - 60_000);
    utimesSync(path, before, before);
    expectStale();
  });

  it('cannot be had of a folder that cannot be written to', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => acquireLock(file)).toThrow(InputError);
    expect(() => acquireLock(file)).toThrow(/^cannot write .*file\/lock\.json: /);
  });

  it('is had by one of many processes that find a stale one at the same time', async () => {
    const module = new URL('../../dist/runs/lock.js', import.meta.url).href;
    const script = `const { acquireLock } = await import('${module}');
      for (;;) { if (Date.now() >= Number(process.argv[1])) break; }
      try { acquireLock(${JSON.stringify(folder)}); console.log('had'); await new Promise((r) => setTimeout(r, 1500)); } catch { console.log('refused'); }`;
    const { pid } = spawnSync(process.execPath, ['--version']);
    writeLock({ processId: pid });
    const start = String(Date.now() + 1500);
    const outputs = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', script, start]);
        const [text] = await once(child.stdout, 'data');
        await once(child, 'close');
        return String(text).trim();
      }),
    );
    expect(outputs.sort()).toEqual(['had', 'refused', 'refused', 'refused', 'refused', 'refused']);
  });
});
