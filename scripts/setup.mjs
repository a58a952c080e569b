// Makes a fresh clone usable: system packages, npm packages, the native add-on, the TypeScript. `npm start` and
// `npm test` begin with it; what is up to date is passed over silently, in well under a second.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildNative } from './build-native.mjs';
import { findLibtorch, HOW_TO_GET_LIBTORCH, LibtorchError } from './libtorch.mjs';
import {
  filesBelow,
  hashFiles,
  isMain,
  ROOT,
  readJson,
  runMain,
  runQuietly,
  SetupError,
  step,
} from './steps.mjs';
import { installPackages, missingPackages } from './system-packages.mjs';

const OLDEST_NODE = 20;
/** What runs in Node, and what runs in a browser and knows nothing of Node. */
const PROJECTS = ['tsconfig.json', 'tsconfig.browser.json'];

/**
 * @param {{ forTests?: boolean }} purpose whether to get what only tests need as well
 * @throws {SetupError} where a step fails; its message says what to do
 */
export function setUp({ forTests = false } = {}) {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new SetupError(`Node ${OLDEST_NODE} or newer is needed, and this is ${process.version}`, {
      exitCode: 2,
    });
  }
  const libtorch = provideSystemPackages(forTests);
  installNpmPackages();
  buildNative(libtorch);
  compileTypeScript();
}

/** Installs what the system lacks; returns the libtorch to build on. */
function provideSystemPackages(forTests) {
  const before = locateLibtorch();
  const missing = missingPackages(before, { forTests });
  // Asking apt takes a second, so that it was asked in vain for optional ones once is remembered.
  const memory = join(ROOT, 'node_modules/.cache/featmatch-setup.json');
  const asked = readJson(memory)?.asked ?? [];
  missing.optional = missing.optional.filter((name) => !asked.includes(name));
  installPackages(missing);
  if (missing.optional.length > 0 && existsSync(join(ROOT, 'node_modules'))) {
    mkdirSync(join(memory, '..'), { recursive: true });
    writeFileSync(memory, `${JSON.stringify({ asked: [...asked, ...missing.optional] })}\n`);
  }
  const isUnchanged = missing.required.length + missing.optional.length === 0;
  const libtorch = isUnchanged ? before : locateLibtorch();
  if (!libtorch)
    throw new SetupError(`there is no libtorch on this system: ${HOW_TO_GET_LIBTORCH}`, { exitCode: 2 });
  return libtorch;
}

function locateLibtorch() {
  try {
    return findLibtorch();
  } catch (error) {
    throw error instanceof LibtorchError ? new SetupError(error.message, { exitCode: 2 }) : error;
  }
}

function installNpmPackages() {
  const why = whyInstall(ROOT);
  if (!why) return;
  step(`npm ci (${why})`, () =>
    runQuietly(['npm', 'ci', '--no-audit', '--no-fund'], {
      // This package's own install hook would build the add-on; that is the next step's work.
      env: { ...process.env, FEATMATCH_SKIP_NATIVE_BUILD: '1' },
      failure: 'the npm packages could not be installed',
    }),
  );
}

/**
 * Why the installed npm packages are not those of package-lock.json; undefined where they are. npm keeps a list of what
 * it installed, so this also knows an `npm ci` that was typed by hand.
 */
export function whyInstall(folder) {
  const installed = readJson(join(folder, 'node_modules/.package-lock.json'))?.packages;
  if (!installed) return 'node_modules is missing';
  const { '': _, ...locked } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  for (const [path, entry] of Object.entries(locked)) {
    if (installed[path] ? installed[path].version !== entry.version : !entry.optional) {
      return 'package-lock.json changed';
    }
  }
  return undefined;
}

function compileTypeScript() {
  const sources = hashFiles([
    ...filesBelow(join(ROOT, 'src'), ['.ts']).filter((file) => !file.endsWith('.test.ts')),
    ...[...PROJECTS, 'package-lock.json'].map((file) => join(ROOT, file)),
  ]);
  const stamp = join(ROOT, 'dist/.built-from.json');
  if (readJson(stamp)?.sources === sources) return;
  const why = existsSync(stamp) ? 'its sources changed' : 'not compiled yet';
  step(`compiling the TypeScript (${why})`, () => {
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    for (const project of PROJECTS) {
      runQuietly([process.execPath, tsc, '-p', project], { failure: 'the TypeScript does not compile' });
    }
    writeFileSync(stamp, `${JSON.stringify({ sources })}\n`);
  });
}

if (isMain(import.meta.url)) await runMain(() => setUp());
