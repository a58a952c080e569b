// What set-up takes from Debian and Ubuntu: libtorch, a fast BLAS, the build tools and Fashion-MNIST.
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

/**
 * The Debian packages that this machine lacks: `required` ones, and `data` that the project can do without.
 * @param {import('./libtorch.mjs').Libtorch | undefined} libtorch
 */
export function missingPackages(libtorch) {
  const required = missingBuildTools();
  if (!libtorch) required.push('libtorch-dev');
  // An unpacked libtorch brings its own BLAS; the system's uses libblas.so.3, by default a slow one.
  if ((!libtorch || libtorch.source === 'system') && !hasFastBlas()) required.push('libopenblas0-openmp');
  return { required, data: hasFashionMnist() ? [] : [FASHION_MNIST_PACKAGE] };
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
 * @param {{ required: string[], data: string[] }} missing
 * @param {{ isRoot?: boolean }} [user]
 * @throws {SetupError} with exit code 2 and the command to type, where required ones are missing and may not be
 *   installed from here
 */
export function installPackages({ required, data }, { isRoot = process.getuid?.() === 0 } = {}) {
  if (required.length + data.length === 0) return;
  if (!findProgram(['apt-get'])) {
    if (required.length > 0) {
      const libtorch = required.includes('libtorch-dev') ? `; for libtorch, ${HOW_TO_GET_LIBTORCH}` : '';
      throw new SetupError(`please install ${required.join(', ')}${libtorch}`, { exitCode: 2 });
    }
    return; // the data set can be fetched by whoever wants it
  }
  const prefix = administratorPrefix(isRoot);
  if (!prefix) return explainInstall([...required, ...data], required.length > 0);

  updateListsIfNeeded([...required, ...data], prefix);
  const available = [...required, ...data].filter(isAvailable);
  const unavailable = required.filter((name) => !available.includes(name));
  if (unavailable.length > 0) {
    throw new SetupError(
      `the package lists of this system have no ${unavailable.join(', ')}; ${HOW_TO_GET_LIBTORCH}`,
      { exitCode: 2 },
    );
  }
  if (!available.includes(FASHION_MNIST_PACKAGE) && data.length > 0) sayHowToFetchData();
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

function explainInstall(packages, areRequired) {
  const command = `sudo apt-get update && sudo apt-get install --no-install-recommends ${packages.join(' ')}`;
  const sentence = `this needs Debian packages and the right to install them; please run: ${command}`;
  if (areRequired) throw new SetupError(sentence, { exitCode: 2 });
  process.stdout.write(
    `featmatch set-up: Fashion-MNIST is not here, and only needed to train on it; ${command}\n`,
  );
}

function sayHowToFetchData() {
  process.stdout.write(
    `featmatch set-up: the package lists have no ${FASHION_MNIST_PACKAGE}; "featmatch data fetch fashion-mnist" ` +
      'gets the data set from its publisher\n',
  );
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
