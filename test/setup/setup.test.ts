import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

// Plain JavaScript without types, since it runs before anything is installed.
const script = (name: string) => import(new URL(`../../scripts/${name}`, import.meta.url).href);
const { hasFastBlas, installPackages } = await script('system-packages.mjs');
const { missingBuildTools } = await script('build-native.mjs');
const { whyInstall } = await script('setup.mjs');
const { SetupError } = await script('steps.mjs');

let folder: string;
let printed: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'featmatch-setup-'));
  printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A program of this name is the only thing in PATH, beside others made so, and notes its arguments. */
function fakeProgram(name: string, body = ''): void {
  const path = join(folder, 'bin', name);
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> '${folder}/calls'\n${body}\n`);
  chmodSync(path, 0o755);
  vi.stubEnv('PATH', join(folder, 'bin'));
}

/** A Debian whose package lists hold everything but `unavailable`. */
function fakeDebian({ unavailable = 'nothing', install = '' } = {}): void {
  fakeProgram('apt-get', install);
  fakeProgram(
    'apt-cache',
    `case "$2" in ${unavailable}) echo '  Candidate: (none)';; *) echo '  Candidate: 1';; esac`,
  );
  symlinkSync('/usr/bin/env', join(folder, 'bin/env'));
}

const calls = () =>
  existsSync(join(folder, 'calls'))
    ? readFileSync(join(folder, 'calls'), 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('apt-get'))
    : [];

const DATA = 'dataset-fashion-mnist';

describe('installPackages', () => {
  it('installs all that is missing at once, as root', () => {
    fakeDebian();
    installPackages({ required: ['libtorch-dev', 'make'], optional: [DATA] }, { isRoot: true });
    expect(calls()).toEqual([`apt-get install --yes --no-install-recommends libtorch-dev make ${DATA}`]);
    expect(printed).toMatch(/^featmatch set-up: installing libtorch-dev, make, .* … done, [\d.]+ s\n$/);
  });

  it('installs with sudo where that asks for no password', () => {
    fakeDebian();
    fakeProgram('sudo', 'shift; "$@"');
    fakeProgram('true');
    installPackages({ required: ['make'], optional: [] }, { isRoot: false });
    expect(calls()).toEqual(['apt-get install --yes --no-install-recommends make']);
  });

  it('does nothing where nothing is missing', () => {
    fakeDebian();
    installPackages({ required: [], optional: [] }, { isRoot: true });
    expect(calls()).toEqual([]);
    expect(printed).toBe('');
  });

  it('reads the package lists where they do not know a package', () => {
    fakeDebian({ unavailable: DATA });
    installPackages({ required: ['make'], optional: [DATA] }, { isRoot: true });
    expect(calls()).toEqual(['apt-get update', 'apt-get install --yes --no-install-recommends make']);
    expect(printed).toContain(`no ${DATA}; only needed to train on Fashion-MNIST`);
  });

  it('reads the package lists and tries again where they are too old', () => {
    fakeDebian({
      install: `case "$1" in update) touch '${folder}/updated';; *) test -e '${folder}/updated';; esac`,
    });
    symlinkSync('/usr/bin/touch', join(folder, 'bin/touch'));
    installPackages({ required: ['make'], optional: [] }, { isRoot: true });
    expect(calls().map((call) => call.split(' ')[1])).toEqual(['install', 'update', 'install']);
  });

  /** The sentence and the exit code that it ends with. */
  function failure(missing: { required: string[]; optional: string[] }, isRoot: boolean) {
    try {
      installPackages(missing, { isRoot });
    } catch (error) {
      expect(error).toBeInstanceOf(SetupError);
      return error as Error & { exitCode: number; output: string };
    }
    throw new Error('it did not fail');
  }

  it('prints the exact command where it has no right to install', () => {
    fakeDebian();
    const { message, exitCode } = failure({ required: ['libtorch-dev'], optional: [DATA] }, false);
    expect(exitCode).toBe(2);
    expect(message).toContain(
      `sudo apt-get update && sudo apt-get install --no-install-recommends libtorch-dev ${DATA}`,
    );
    expect(calls()).toEqual([]);
  });

  it('goes on without what is optional where only that is missing', () => {
    fakeDebian();
    installPackages({ required: [], optional: [DATA] }, { isRoot: false });
    expect(printed).toContain(`sudo apt-get install --no-install-recommends ${DATA}`);
  });

  it('tells how else to get libtorch where the distribution has none', () => {
    fakeDebian({ unavailable: 'libtorch-dev' });
    const { message, exitCode } = failure({ required: ['libtorch-dev'], optional: [] }, true);
    expect(exitCode).toBe(2);
    expect(message).toMatch(/have no libtorch-dev; .*LIBTORCH/);
  });

  it('names what to install on systems without apt', () => {
    vi.stubEnv('PATH', folder);
    const { message, exitCode } = failure({ required: ['g++', 'libtorch-dev'], optional: [DATA] }, true);
    expect(exitCode).toBe(2);
    expect(message).toMatch(/^please install g\+\+, libtorch-dev; for libtorch, .*LIBTORCH/);
  });

  it('shows what apt-get printed where it fails', () => {
    fakeDebian({ install: 'echo broken packages; exit 100' });
    const { message, output, exitCode } = failure({ required: ['make'], optional: [] }, true);
    expect(exitCode).toBe(1);
    expect(message).toMatch(/apt-get could not install .*exit code 100/);
    expect(output).toContain('broken packages');
  });
});

describe('missingBuildTools', () => {
  it('looks for programs in PATH, and for the compiler that CXX names', () => {
    fakeProgram('make');
    fakeProgram('python3');
    expect(missingBuildTools()).toEqual(['g++']);
    fakeProgram('my-compiler');
    expect(missingBuildTools({ PATH: join(folder, 'bin'), CXX: 'my-compiler' })).toEqual([]);
    expect(missingBuildTools({ PATH: folder })).toEqual(['g++', 'make', 'python3']);
  });
});

describe('hasFastBlas', () => {
  it('looks at what libblas.so.3 leads to', () => {
    const library = (name: string) => {
      const path = join(folder, name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, '');
      rmSync(join(folder, 'libblas.so.3'), { force: true });
      symlinkSync(path, join(folder, 'libblas.so.3'));
      return hasFastBlas(join(folder, 'libblas.so.3'));
    };
    expect(library('openblas-pthread/libblas.so.3')).toBe(true);
    expect(library('blas/libblas.so.3.11')).toBe(false);
    expect(hasFastBlas(join(folder, 'missing'))).toBe(false);
  });
});

describe('whyInstall', () => {
  const locked = {
    '': { name: 'x' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', optional: true },
  };

  function reason(installed: Record<string, unknown> | undefined): string | undefined {
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ packages: locked }));
    mkdirSync(join(folder, 'node_modules'), { recursive: true });
    const list = join(folder, 'node_modules/.package-lock.json');
    if (installed) writeFileSync(list, JSON.stringify({ packages: installed }));
    return whyInstall(folder);
  }

  it('is satisfied with the packages of the lock file, with or without those for other systems', () => {
    expect(reason({ 'node_modules/a': { version: '1.0.0' } })).toBeUndefined();
    expect(
      reason({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.0' } }),
    ).toBeUndefined();
  });

  it('notices a missing folder, a missing package and another version', () => {
    expect(reason(undefined)).toBe('node_modules is missing');
    expect(reason({})).toBe('package-lock.json changed');
    expect(reason({ 'node_modules/a': { version: '1.0.1' } })).toBe('package-lock.json changed');
    expect(reason({ 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { version: '2.0.1' } })).toBe(
      'package-lock.json changed',
    );
  });
});
