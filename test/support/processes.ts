/** Real processes that work together, and what becomes of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
export const WORLD_PROCESS = fileURLToPath(new URL('./world-process.mjs', import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** milliseconds from its start */
  readonly time: number;
}

export interface Started {
  readonly child: ChildProcess;
  readonly end: Promise<Ended>;
}

/** Starts a program in a folder with other variables than these of the test. */
export function start(
  [program, ...args]: readonly string[],
  { cwd, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Started {
  const started = performance.now();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (text) => {
      texts[name] += text;
    });
  }
  const end = once(child, 'close').then(([status]) => ({
    status: status as number | null,
    ...texts,
    time: performance.now() - started,
  }));
  return { child, end };
}

/** As many processes of one command as there are places, which find each other by a file. */
export function startTogether(
  command: readonly string[],
  { size, folder, env = {} }: { size: number; folder: string; env?: Record<string, string> },
): Started[] {
  const rendezvous = join(folder, `rendezvous-${Math.random()}`);
  return Array.from({ length: size }, (_, rank) =>
    start(command, {
      cwd: folder,
      env: {
        RANK: String(rank),
        WORLD_SIZE: String(size),
        LOCAL_RANK: String(rank),
        LOCAL_WORLD_SIZE: String(size),
        FEATMATCH_RENDEZVOUS: rendezvous,
        ...env,
      },
    }),
  );
}

/** The process numbers of what a process started, by their ranks. */
export function ranksOf(pid: number): Map<string, number> {
  const read = (path: string) => readFileSync(path, 'utf8');
  const children = read(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);
  return new Map(
    children.flatMap((child): [string, number][] => {
      try {
        const rank = /(?:^|\0)RANK=(\d+)\0/.exec(read(`/proc/${child}/environ`))?.[1];
        return rank === undefined ? [] : [[rank, child]];
      } catch {
        return []; // it ended this moment
      }
    }),
  );
}

export async function until(condition: () => boolean, milliseconds = 60_000): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await new Promise((done) => setTimeout(done, 20));
  }
}
