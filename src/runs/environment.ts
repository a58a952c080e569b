/** What a result may depend on besides configuration and seed: versions and the machine. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, hostname } from 'node:os';
import { PACKAGE_FOLDER, packageVersion } from './package.js';

export interface Versions {
  readonly featmatch: string;
  /** Commit of the checkout that runs, with `-dirty` where it was changed since; null where it is none. */
  readonly commit: string | null;
  readonly libtorch: string;
  readonly node: string;
}

export interface Machine {
  readonly host: string;
  /** For example `linux x64`. */
  readonly platform: string;
  /** The processor's name as it tells it. */
  readonly cpu: string;
  /** Processors that this process may use. */
  readonly processors: number;
  /** Threads that one operator uses. */
  readonly threads: number;
  /** Processes that train together. */
  readonly processes: number;
}

/** @param libtorch its version */
export function describeVersions(libtorch: string): Versions {
  return { featmatch: packageVersion(), commit: sourceCommit(), libtorch, node: process.versions.node };
}

/** @param threads that one operator uses @param processes that train together */
export function describeMachine(threads: number, processes = 1): Machine {
  return {
    host: hostname(),
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus().at(0)?.model.trim() ?? 'unknown',
    processors: availableParallelism(),
    threads,
    processes,
  };
}

function sourceCommit(): string | null {
  // Installed as a dependency, the package lies inside somebody else's repository.
  if (!existsSync(`${PACKAGE_FOLDER}.git`)) return null;
  try {
    const describe = ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'];
    return execFileSync('git', describe, { cwd: PACKAGE_FOLDER, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return null; // git is not installed, or nothing is committed yet
  }
}
