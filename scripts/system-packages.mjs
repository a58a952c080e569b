// What set-up takes from Debian and Ubuntu: libtorch, a fast BLAS, the build tools, Gloo for several processes,
// Fashion-MNIST, and a browser to test in.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { missingBuildTools } from './build-native.mjs';
import { HOW_TO_GET_LIBTORCH, MULTIARCH } from './libtorch.mjs';
import { findProgram, runQuietly, SetupError, step } from './steps.mjs';

const BLAS = `/usr/lib/${MULTIARCH}/libblas.so.3`;
const FASHION_MNIST_PACKAGE = 'dataset-fashion-mnist';
const FASHION_MNIST_FILE = 'train-images-idx3-ubyte.gz';

/** What the project can do without, and what to say of it where it is not to be had. */
const OPTIONAL = {
  [FASHION_MNIST_PACKAGE]:
    'only needed to train on Fashion-MNIST, which "featmatch data fetch fashion-mnist" gets from its publisher',
  'libgloo-dev': 'without it training is in one process',
  chromium: 'without a browser the tests that need one are skipped',
};

/**
 * The Debian packages that this machine lacks: `required` ones, and `optional` ones that the project can do without.
 * @param {import('./libtorch.mjs').Libtorch | undefined} libtorch @param {{ forTests: boolean }} purpose
 */
export function missingPackages(libtorch, { forTests }) {
  const required = missingBuildTools();
  if (!libtorch) required.push('libtorch-dev');
  // An unpacked libtorch brings its own BLAS; the system's uses libblas.so.3, by default a slow one.
  if ((!libtorch || libtorch.source === 'system') && !hasFastBlas()) required.push('libopenblas0-openmp');
  const optional = [];
  // An unpacked libtorch brings the headers of its own Gloo, or none.
  if (!libtorch || (libtorch.source !== 'LIBTORCH' && !libtorch.gloo)) optional.push('libgloo-dev');
  if (!hasFashionMnist()) optional.push(FASHION_MNIST_PACKAGE);
  if (forTests && !findBrowser()) optional.push('chromium');
  return { required, optional };
}

/** A program in PATH that is a Chromium. */
export function findBrowser() {
  return findProgram(['chromium', 'chromium-browser', 'google-chrome']);
}

/** From Debian's package, or where `featmatch data fetch` puts it. */
function hasFashionMnist(env = process.env) {
  const cache = env.FEATMATCH_DATA ?? join(homedir(), '.cache/featmatch');
  return ['/usr/share/datasets/fashion-mnist', join(cache, 'fashion-mnist')].some((folder) =>
    existsSync(join(folder, FASHION_MNIST_FILE)),
  );
}

/**
 * Installs packages with apt-get, as root or with passwordless sudo.
 * @param {{ required: string[], optional: string[] }} missing
 * @param {{ isRoot?: boolean }} [user]
 * @throws {SetupError} with exit code 2 and the command to type, where required ones are missing and may not be
 *   installed from here
 */
export function installPackages({ required, optional }, { isRoot = process.getuid?.() === 0 } = {}) {
  if (required.length + optional.length === 0) return;
  if (!findProgram(['apt-get'])) {
    if (required.length > 0) {
      const libtorch = required.includes('libtorch-dev') ? `; for libtorch, ${HOW_TO_GET_LIBTORCH}` : '';
      throw new SetupError(`please install ${required.join(', ')}${libtorch}`, { exitCode: 2 });
    }
    return;
  }
  const prefix = administratorPrefix(isRoot);
  if (!prefix) return explainInstall({ required, optional });

  updateListsIfNeeded([...required, ...optional], prefix);
  const available = [...required, ...optional].filter(isAvailable);
  const unavailable = required.filter((name) => !available.includes(name));
  if (unavailable.length > 0) {
    throw new SetupError(
      `the package lists of this system have no ${unavailable.join(', ')}; ${HOW_TO_GET_LIBTORCH}`,
      { exitCode: 2 },
    );
  }
  for (const name of optional.filter((name) => !available.includes(name))) {
    process.stdout.write(`featmatch set-up: the package lists have no ${name}; ${OPTIONAL[name]}\n`);
  }
  if (available.length === 0) return;
  const install = [...prefix, 'apt-get', 'install', '--yes', '--no-install-recommends', ...available];
  const failure = 'apt-get could not install what is missing';
  step(`installing ${available.join(', ')} (missing on this system)`, () => {
    try {
      runQuietly(install, { failure });
    } catch {
      // Lists that are too old name files that the servers no longer have.
      runQuietly([...prefix, 'apt-get', 'update'], { failure });
      runQuietly(install, { failure });
    }
  });
}

/** Whether libblas.so.3 is one of the optimized libraries and not the reference implementation. */
export function hasFastBlas(library = BLAS) {
  return existsSync(library) && /openblas|blis|mkl|atlas/.test(realpathSync(library));
}

/** What to put before a command that needs root; undefined where there is no way without asking for a password. */
function administratorPrefix(isRoot) {
  const setting = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  if (isRoot) return setting;
  return spawnSync('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n', ...setting] : undefined;
}

function explainInstall({ required, optional }) {
  const packages = [...required, ...optional].join(' ');
  const command = `sudo apt-get update && sudo apt-get install --no-install-recommends ${packages}`;
  if (required.length > 0) {
    throw new SetupError(`this needs Debian packages and the right to install them; please run: ${command}`, {
      exitCode: 2,
    });
  }
  const reasons = optional.map((name) => `${name} is not here: ${OPTIONAL[name]}`);
  process.stdout.write(`featmatch set-up: ${reasons.join('; ')}; ${command}\n`);
}

function updateListsIfNeeded(packages, prefix) {
  if (packages.every(isAvailable)) return;
  step('reading the package lists (apt-get update)', () =>
    runQuietly([...prefix, 'apt-get', 'update'], { failure: 'the package lists could not be read' }),
  );
}

function isAvailable(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  const candidate = /Candidate: (\S+)/.exec(stdout ?? '')?.[1];
  return candidate !== undefined && candidate !== '(none)';
}
