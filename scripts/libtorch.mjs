// Finds libtorch by the conventions of tch-rs: LIBTORCH_USE_PYTORCH=1 (the Python package), LIBTORCH=<folder> (an
// unpacked libtorch), else what the system has. Used by set-up, by the install hook and by `featmatch doctor`.
// Plain Node without dependencies, since it runs before `npm ci`; it starts no process unless Python is to be asked.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Older ones lack operators and a dispatcher interface that the add-on uses. */
export const OLDEST_VERSION = '1.13';

/** Where Debian keeps the libraries of one processor architecture, by Node's name of it. */
const MULTIARCH_FOLDERS = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  ppc64: 'powerpc64le-linux-gnu',
  riscv64: 'riscv64-linux-gnu',
  s390x: 's390x-linux-gnu',
};
export const MULTIARCH = MULTIARCH_FOLDERS[process.arch] ?? `${process.arch}-linux-gnu`;

const SHARED_LIBRARY = process.platform === 'darwin' ? 'dylib' : 'so';

/**
 * @typedef {object} Libtorch
 * @property {string} version for example `1.13.0` or `2.7.1+cpu`
 * @property {[string, string]} include the folder that holds `torch/` and `ATen/`, and that of the C++ API's headers
 * @property {string} lib the folder that holds `libtorch_cpu.so`
 * @property {boolean} cxx11Abi whether it was built with the C++11 string and list types
 * @property {boolean} cuda
 * @property {boolean} gloo whether it comes with the headers for training in several processes
 * @property {'system' | 'LIBTORCH' | 'PyTorch'} source
 */

/**
 * @param {{ env?: NodeJS.ProcessEnv, systemPrefixes?: string[] }} [options]
 * @returns {Libtorch | undefined} undefined where the system has none and the environment names none
 * @throws {LibtorchError} where the environment names one that cannot be used, or the one found is too old
 */
export function findLibtorch({ env = process.env, systemPrefixes = ['/usr/local', '/usr'] } = {}) {
  if (!['', '0', undefined].includes(env.LIBTORCH_USE_PYTORCH)) {
    const { python, folder } = pythonPackage(env);
    // Debian's python3-torch leaves headers and libraries to libtorch-dev, so the system is looked at as well.
    for (const prefix of [folder, ...systemPrefixes]) {
      const found = libtorchIn(prefix, 'PyTorch');
      if (found) return found;
    }
    throw new LibtorchError(
      `LIBTORCH_USE_PYTORCH is set, but the torch package of ${python} in ${folder} comes without headers or ` +
        'libraries; on Debian and Ubuntu install libtorch-dev as well',
    );
  }
  if (env.LIBTORCH) {
    const found = libtorchIn(resolve(env.LIBTORCH), 'LIBTORCH');
    if (found) return found;
    throw new LibtorchError(
      `LIBTORCH is set to ${env.LIBTORCH}, but there is no include/torch with lib/libtorch_cpu.${SHARED_LIBRARY} ` +
        'in it; set it to the folder of an unpacked libtorch, or unset it',
    );
  }
  for (const prefix of systemPrefixes) {
    const found = libtorchIn(prefix, 'system');
    if (found) return found;
  }
  return undefined;
}

/** How to get libtorch, in one sentence, for whoever has none. */
export const HOW_TO_GET_LIBTORCH =
  'install libtorch-dev (Debian, Ubuntu), or set LIBTORCH to the folder of an unpacked libtorch ' +
  `(${OLDEST_VERSION} or newer), or set LIBTORCH_USE_PYTORCH=1 to use the one of the Python package torch`;

/** The environment asks for a libtorch that cannot be used; the message says which, why and what to do. */
export class LibtorchError extends Error {
  name = 'LibtorchError';
}

/** The libtorch under one prefix (`/usr`, an unpacked libtorch, a Python package's folder), if it is complete. */
function libtorchIn(prefix, source) {
  const include = join(prefix, 'include');
  const api = join(include, 'torch/csrc/api/include');
  const library = `libtorch_cpu.${SHARED_LIBRARY}`;
  const lib = [`lib/${MULTIARCH}`, 'lib', 'lib64']
    .map((folder) => join(prefix, folder))
    .find((folder) => existsSync(join(folder, library)));
  const has = (header) => existsSync(join(include, header));
  if (!lib || !has('ATen/ATen.h') || !existsSync(join(api, 'torch/version.h'))) return undefined;
  const version = readVersion(prefix, include, api);
  if (isOlder(version, OLDEST_VERSION)) {
    throw new LibtorchError(
      `libtorch ${version} in ${prefix} is too old: ${OLDEST_VERSION} or newer is needed; unpack one and set ` +
        'LIBTORCH to its folder',
    );
  }
  return {
    version,
    include: [include, api],
    lib,
    cxx11Abi: readCxx11Abi(prefix),
    cuda: existsSync(join(lib, `libtorch_cuda.${SHARED_LIBRARY}`)),
    gloo: has('torch/csrc/distributed/c10d/ProcessGroupGloo.hpp') && has('gloo/algorithm.h'),
    source,
  };
}

function readVersion(prefix, include, api) {
  // Newer releases moved the macro, and leave a header that includes the other.
  for (const file of [join(api, 'torch/version.h'), join(include, 'torch/headeronly/version.h')]) {
    const version = /#define\s+TORCH_VERSION\s*\\?\s*"([^"]+)"/.exec(read(file))?.[1];
    if (version) return version;
  }
  const version = read(join(prefix, 'build-version')).trim();
  if (version) return version;
  throw new LibtorchError(
    `the libtorch in ${prefix} does not tell its version (torch/version.h, build-version); unpack it again`,
  );
}

/** Old official builds used the pre-C++11 types and say so in their CMake file; everyone else uses C++11's. */
function readCxx11Abi(prefix) {
  const flags = read(join(prefix, 'share/cmake/Torch/TorchConfig.cmake'));
  return /_GLIBCXX_USE_CXX11_ABI=(\d)/.exec(flags)?.[1] !== '0';
}

/** Asks Python where its torch is, without importing it (which takes seconds). */
function pythonPackage(env) {
  const program =
    "import importlib.util as u, os; s = u.find_spec('torch'); print(os.path.dirname(s.origin) if s else '')";
  // A Python of the user's own in front of PATH may not see the distribution's packages.
  const pythons = env.PYTHON ? [env.PYTHON] : ['python3', '/usr/bin/python3'];
  for (const python of pythons) {
    const { stdout } = spawnSync(python, ['-c', program], { env, encoding: 'utf8' });
    const folder = stdout?.trim();
    if (folder) return { python, folder };
  }
  throw new LibtorchError(
    `LIBTORCH_USE_PYTORCH is set, but ${pythons.join(' and ')} cannot find a package named torch; ` +
      'set PYTHON to a Python that has it, or unset LIBTORCH_USE_PYTORCH',
  );
}

function isOlder(version, minimum) {
  const [major, minor] = version.split('.').map(Number);
  const [minimumMajor, minimumMinor] = minimum.split('.').map(Number);
  return major < minimumMajor || (major === minimumMajor && minor < minimumMinor);
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
