/** Training in several processes: joins those that a launcher started, or starts them on this host. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { Config } from '../config/index.js';
import type { Launch } from '../train/distributed/launcher.js';
import type { World } from '../train/distributed/world.js';
import { parseCount } from './arguments.js';
import { EXIT_CODES, untilSignal } from './interruption.js';

export function addProcessesOption(command: Command): Command {
  return command.option(
    '--processes <count>',
    'processes on this host that train together and share its processors (default: what a launcher started, else one)',
    parseCount,
  );
}

/** How this process came to train. */
export interface Start {
  readonly world: World;
  /** how often a launcher started the job anew after a failure */
  readonly restarts: number;
}

/**
 * Runs `train` together with the processes that a launcher started. Where they are to be started from here, each of them
 * is another process with this command line, and this one only waits for them.
 */
export async function inProcesses(
  { distributed, device }: Config,
  processes: number | undefined,
  train: (start: Start) => Promise<void>,
): Promise<void> {
  const { detectLaunch } = await import('../train/distributed/launcher.js');
  const launch = detectLaunch(process.env, processes);
  const { restarts } = launch;
  if (launch.kind === 'spawn') {
    process.exitCode = await startProcesses(launch);
    return;
  }
  const { alone, joinWorld } = await import('../train/distributed/world.js');
  if (launch.kind === 'alone') return train({ world: alone, restarts });
  const world = await joinWorld(launch, {
    timeout: distributed.timeout,
    useNccl: device !== 'cpu',
  });
  try {
    await train({ world, restarts });
    world.leave();
  } catch (error) {
    world.fail(error);
    throw error;
  }
}

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** Starts the processes of this host and waits for all of them; the exit code of the first that fails, else 0. */
async function startProcesses(launch: Extract<Launch, { kind: 'spawn' }>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'featmatch-processes-'));
  const children: ChildProcess[] = [];
  const interruption = untilSignal((signal) => {
    for (const child of children) child.kill(signal);
  });
  try {
    const codes = Array.from({ length: launch.processes }, (_, localRank) => {
      const rank = launch.node * launch.processes + localRank;
      const child = startProcess(environmentOf(launch, { rank, localRank, folder }), localRank);
      children.push(child);
      return endOf(child, rank);
    });
    let code = 0;
    for (const end of codes) {
      end.then((its) => {
        if (code === 0) code = its;
      });
    }
    await Promise.all(codes);
    // All agree to stop when the first of them hears of it, so not each knows by which signal.
    const isInterrupted = interruption.signal.aborted && Object.values(EXIT_CODES).includes(code);
    return isInterrupted ? EXIT_CODES[interruption.signal.reason] : code;
  } finally {
    interruption.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

function environmentOf(
  { processes, nodes, rendezvous }: Extract<Launch, { kind: 'spawn' }>,
  { rank, localRank, folder }: { rank: number; localRank: number; folder: string },
): Record<string, string> {
  return {
    FEATMATCH_SPAWNED: '1',
    RANK: String(rank),
    WORLD_SIZE: String(processes * nodes),
    LOCAL_RANK: String(localRank),
    LOCAL_WORLD_SIZE: String(processes),
    ...(rendezvous?.kind === 'tcp'
      ? { MASTER_ADDR: rendezvous.host, MASTER_PORT: String(rendezvous.port) }
      : { FEATMATCH_RENDEZVOUS: join(folder, 'rendezvous') }),
  };
}

/** The first on this host has the terminal; what the others say on stderr is passed on with their rank. */
function startProcess(environment: Record<string, string>, localRank: number): ChildProcess {
  const isFirst = localRank === 0;
  // In a group of its own: a terminal sends Ctrl-C to the whole group, and two of them would be one too many.
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...process.argv.slice(2)], {
    detached: true,
    env: { ...process.env, ...environment },
    stdio: ['ignore', isFirst ? 'inherit' : 'ignore', isFirst ? 'inherit' : 'pipe'],
  });
  if (child.stderr !== null) {
    createInterface(child.stderr).on('line', (line) =>
      process.stderr.write(`rank ${environment.RANK}: ${line}\n`),
    );
  }
  return child;
}

/** Its exit code; of one that a signal ended, what a shell says. */
function endOf(child: ChildProcess, rank: number): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal !== null) process.stderr.write(`rank ${rank} was ended by ${signal}\n`);
      resolve(code ?? EXIT_CODES[String(signal)] ?? 1);
    });
  });
}
