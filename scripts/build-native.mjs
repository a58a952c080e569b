// Builds the native add-on with node-gyp, where it is not up to date.
//
//   node scripts/build-native.mjs              as a step by hand
//   node scripts/build-native.mjs --optional   as the package's install hook: without libtorch or a compiler it says
//                                              how to get them and succeeds, since prediction needs neither
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findLibtorch, HOW_TO_GET_LIBTORCH, LibtorchError } from './libtorch.mjs';
import {
  findProgram,
  hashFiles,
  isMain,
  ROOT,
  readJson,
  runMain,
  runQuietly,
  SetupError,
  step,
} from './steps.mjs';

const NATIVE = join(ROOT, 'native');
const ADDON = join(NATIVE, 'build/Release/featmatch_native.node');
const STAMP = join(NATIVE, 'build/built-from.json');

/**
 * Builds the add-on unless it was built from the same sources, libtorch and Node ABI.
 * @param {import('./libtorch.mjs').Libtorch} libtorch
 * @throws {SetupError} where the build fails
 */
export function buildNative(libtorch) {
  const builtFrom = {
    sources: hashFiles(nativeSources()),
    libtorch,
    node: { abi: process.versions.modules, platform: process.platform, architecture: process.arch },
  };
  const why = whyBuild(builtFrom);
  if (!why) return;
  step(`building the native add-on on libtorch ${libtorch.version} (${why})`, () => {
    const nodeGyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
    const options = {
      cwd: NATIVE,
      env: { ...process.env, JOBS: 'max' },
      failure: 'the native add-on could not be built',
    };
    runQuietly(
      [process.execPath, nodeGyp, 'configure', ...nodeHeaders(), '--', ...gypVariables(libtorch)],
      options,
    );
    runQuietly([process.execPath, nodeGyp, 'build', ...nodeHeaders()], options);
    writeFileSync(STAMP, `${JSON.stringify(builtFrom, null, 2)}\n`);
  });
}

/** The programs that node-gyp needs and PATH does not have, as Debian's package names. */
export function missingBuildTools(env = process.env) {
  const needs = {
    'g++': [env.CXX ?? 'g++', 'c++', 'clang++'],
    make: ['make', 'gmake'],
    python3: ['python3', 'python'],
  };
  return Object.keys(needs).filter((tool) => !findProgram(needs[tool], env));
}

function whyBuild(builtFrom) {
  const stamp = readJson(STAMP);
  if (!existsSync(ADDON) || !stamp) return 'not built yet';
  const same = (key) => JSON.stringify(stamp[key]) === JSON.stringify(builtFrom[key]);
  if (stamp.libtorch?.gloo !== builtFrom.libtorch.gloo)
    return `was built ${stamp.libtorch?.gloo ? 'with' : 'without'} Gloo`;
  if (!same('libtorch')) return `was built on libtorch ${stamp.libtorch?.version}, ${stamp.libtorch?.source}`;
  if (!same('node')) return 'was built for another Node';
  if (!same('sources')) return 'its sources changed';
  return undefined;
}

function nativeSources() {
  return readdirSync(NATIVE)
    .filter((name) => /\.(cc|h|gyp|gypi)$/.test(name))
    .map((name) => join(NATIVE, name));
}

/** Node's own headers where they lie beside it: otherwise node-gyp downloads them. */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include/node/node.h')) ? [`--nodedir=${prefix}`] : [];
}

function gypVariables({ include, lib, cuda, gloo, cxx11Abi }) {
  return [
    `-Dlibtorch_include=${include[0]}`,
    `-Dlibtorch_include_api=${include[1]}`,
    `-Dlibtorch_lib=${lib}`,
    `-Dlibtorch_cuda=${Number(cuda)}`,
    `-Dlibtorch_gloo=${Number(gloo)}`,
    `-Dlibtorch_cxx11_abi=${Number(cxx11Abi)}`,
  ];
}

/** What keeps the add-on from being built here, as a sentence; undefined where nothing does. */
function obstacle() {
  try {
    if (!findLibtorch()) return `there is no libtorch here: ${HOW_TO_GET_LIBTORCH}`;
  } catch (error) {
    if (error instanceof LibtorchError) return error.message;
    throw error;
  }
  const missing = missingBuildTools();
  return missing.length > 0 ? `the build needs ${missing.join(', ')}: install them` : undefined;
}

function main() {
  // Set-up builds the add-on as a step of its own, after the packages are there.
  if (process.env.FEATMATCH_SKIP_NATIVE_BUILD) return;
  const problem = obstacle();
  if (!problem) return buildNative(findLibtorch());
  if (!process.argv.includes('--optional')) throw new SetupError(problem, { exitCode: 2 });
  process.stdout.write(
    `featmatch: installed without its native add-on, which training needs (prediction does not); ${problem}; ` +
      'then run "npm rebuild featmatch".\n',
  );
}

if (isMain(import.meta.url)) await runMain(main);
