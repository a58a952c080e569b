// What the scripts share: running a tool with one line of report, hashing files, ending with a clear sentence.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Ends a script: one clear sentence, and where a tool failed the end of what it printed. */
export class SetupError extends Error {
  /** @param {string} message @param {{ exitCode?: number, output?: string }} [details] */
  constructor(message, { exitCode = 1, output = '' } = {}) {
    super(message);
    this.exitCode = exitCode;
    this.output = output;
  }
}

/** Whether the module of this URL is the script that Node was started with, and not one that it imports. */
export function isMain(moduleUrl) {
  return process.argv[1] !== undefined && moduleUrl === pathToFileURL(realpathSync(process.argv[1])).href;
}

/** Runs a script's main function; prints a {@link SetupError} as its sentence and exits with its code. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    if (error.output) process.stderr.write(`${tail(error.output, 40)}\n\n`);
    process.stderr.write(`featmatch: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

/**
 * One step of set-up, reported on one line: what, why, and when it is done how long it took.
 * @template T
 * @param {string} what @param {() => T} work @returns {T}
 */
export function step(what, work) {
  process.stdout.write(`featmatch set-up: ${what} … `);
  const start = performance.now();
  let end = 'failed';
  try {
    const result = work();
    end = 'done';
    return result;
  } finally {
    process.stdout.write(`${end}, ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  }
}

/**
 * Runs a tool without showing what it prints.
 * @param {string[]} command @param {{ cwd?: string, env?: NodeJS.ProcessEnv, failure: string }} options `failure`
 *   is the sentence for when it fails
 * @throws {SetupError}
 */
export function runQuietly([program, ...args], { cwd = ROOT, env = process.env, failure }) {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  if (status === 0) return stdout;
  const reason = error?.message ?? (signal ? `ended by ${signal}` : `exit code ${status}`);
  throw new SetupError(`${failure} (${[program, ...args].join(' ')}: ${reason})`, {
    output: stdout + stderr,
  });
}

/** The first of `names` that is a program in PATH. */
export function findProgram(names, env = process.env) {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.find((name) => folders.some((folder) => existsSync(join(folder, name))));
}

/** A hash of the names and contents of files, in any order given. */
export function hashFiles(files) {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) {
    const content = readFileSync(file);
    hash.update(`${relative(ROOT, file)}\0${content.byteLength}\0`).update(content);
  }
  return hash.digest('hex');
}

/** All files below a folder whose names end with one of `extensions`. */
export function filesBelow(folder, extensions) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

export function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // absent or broken: made anew
  }
}

function tail(text, lines) {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
