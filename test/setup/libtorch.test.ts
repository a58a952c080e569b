import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

// Plain JavaScript without types, since it runs before anything is installed.
const { findLibtorch, LibtorchError, MULTIARCH } = await import(
  new URL('../../scripts/libtorch.mjs', import.meta.url).href
);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'featmatch-libtorch-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const VERSION_HEADER = 'torch/csrc/api/include/torch/version.h';
const version = (text: string) =>
  `#pragma once\n#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION \\\n  "${text}"\n`;

/** Makes an installation of libtorch out of empty files; `files` adds to it or replaces. */
function install(prefix: string, { lib = 'lib', files = {} as Record<string, string> } = {}): string {
  const all: Record<string, string> = {
    'include/ATen/ATen.h': '',
    [`include/${VERSION_HEADER}`]: version('2.1.0'),
    [`${lib}/libtorch_cpu.so`]: '',
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(prefix, name)), { recursive: true });
    writeFileSync(join(prefix, name), content);
  }
  return prefix;
}

/** A program that answers like Python when it is asked for the folder of torch. */
function fakePython(answer: string): string {
  const path = join(folder, 'python');
  writeFileSync(path, `#!/bin/sh\necho '${answer}'\n`);
  chmodSync(path, 0o755);
  return path;
}

const find = (env: Record<string, string>, systemPrefixes: string[] = []) =>
  findLibtorch({ env, systemPrefixes });

describe('findLibtorch', () => {
  it('finds the one of the system in its multiarch folder, the local one first', () => {
    const usr = install(join(folder, 'usr'), { lib: `lib/${MULTIARCH}` });
    expect(find({}, [join(folder, 'local'), usr])).toEqual({
      version: '2.1.0',
      include: [join(usr, 'include'), join(usr, 'include/torch/csrc/api/include')],
      lib: join(usr, 'lib', MULTIARCH),
      cxx11Abi: true,
      cuda: false,
      gloo: false,
      source: 'system',
    });
    const local = install(join(folder, 'local'));
    expect(find({}, [local, usr]).lib).toBe(join(local, 'lib'));
  });

  it('finds nothing where there are libraries without headers, or headers without libraries', () => {
    install(join(folder, 'usr'));
    rmSync(join(folder, 'usr/include/ATen'), { recursive: true });
    expect(find({}, [join(folder, 'usr')])).toBeUndefined();
    install(join(folder, 'other'));
    rmSync(join(folder, 'other/lib'), { recursive: true });
    expect(find({}, [join(folder, 'other')])).toBeUndefined();
  });

  it('prefers the one that LIBTORCH names, and tells ABI and CUDA', () => {
    const files = {
      'lib/libtorch_cuda.so': '',
      'share/cmake/Torch/TorchConfig.cmake': 'set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=0")',
    };
    const unpacked = install(join(folder, 'libtorch'), { files });
    const found = find({ LIBTORCH: unpacked }, [install(join(folder, 'usr'))]);
    expect(found).toMatchObject({
      source: 'LIBTORCH',
      cuda: true,
      cxx11Abi: false,
      lib: join(unpacked, 'lib'),
    });
  });

  it('knows the version also where its header only includes another, or from build-version', () => {
    const moved = { [`include/${VERSION_HEADER}`]: '#include <torch/headeronly/version.h>' };
    const header = { ...moved, 'include/torch/headeronly/version.h': version('2.9.1') };
    expect(find({ LIBTORCH: install(join(folder, 'a'), { files: header }) }).version).toBe('2.9.1');
    const file = { ...moved, 'build-version': '2.10.0+cpu\n' };
    expect(find({ LIBTORCH: install(join(folder, 'b'), { files: file }) }).version).toBe('2.10.0+cpu');
  });

  it('uses the one of the Python package, or of the system where the package has none', () => {
    const wheel = install(join(folder, 'site-packages/torch'));
    const usr = install(join(folder, 'usr'), { lib: `lib/${MULTIARCH}` });
    const env = { LIBTORCH_USE_PYTORCH: '1', LIBTORCH: '/nowhere', PYTHON: fakePython(wheel) };
    expect(find(env, [usr])).toMatchObject({ source: 'PyTorch', lib: join(wheel, 'lib') });
    rmSync(wheel, { recursive: true });
    expect(find(env, [usr])).toMatchObject({ source: 'PyTorch', lib: join(usr, 'lib', MULTIARCH) });
  });

  it.each(['', '0'])('takes LIBTORCH_USE_PYTORCH=%j as a no', (value) => {
    expect(find({ LIBTORCH_USE_PYTORCH: value })).toBeUndefined();
  });

  describe('says what is wrong', () => {
    const refusal = (env: Record<string, string>) => {
      expect(() => find(env)).toThrow(LibtorchError);
      return expect(() => find(env));
    };

    it('with the folder that LIBTORCH names', () => {
      refusal({ LIBTORCH: folder }).toThrow(/^LIBTORCH is set to .*, but there is no include\/torch/);
    });

    it('with a libtorch that is too old', () => {
      const files = { [`include/${VERSION_HEADER}`]: version('1.12.1') };
      refusal({ LIBTORCH: install(join(folder, 'old'), { files }) }).toThrow(
        /libtorch 1\.12\.1 in .* is too old: 1\.13/,
      );
    });

    it('with a libtorch that does not tell its version', () => {
      const files = { [`include/${VERSION_HEADER}`]: '' };
      refusal({ LIBTORCH: install(join(folder, 'mute'), { files }) }).toThrow(/does not tell its version/);
    });

    it('with a Python that has no torch', () => {
      const PYTHON = fakePython('');
      refusal({ LIBTORCH_USE_PYTORCH: '1', PYTHON }).toThrow(/cannot find a package named torch; set PYTHON/);
    });

    it('with a torch that comes without headers', () => {
      const PYTHON = fakePython(folder);
      refusal({ LIBTORCH_USE_PYTORCH: '1', PYTHON }).toThrow(/without headers or libraries; .*libtorch-dev/);
    });
  });
});
