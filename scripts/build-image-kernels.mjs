// npm run build:image-kernels: compiles src/image/kernels.c to WebAssembly and writes it, as text, to src/image/kernels-wasm.ts.
// Only who changes the C needs this, and clang with lld for it (Debian: clang-14 lld-14). CLANG names another compiler.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(`../src/image/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'featmatch-kernels-'));
try {
  const compiled = join(folder, 'kernels.wasm');
  const target = ['--target=wasm32', '-msimd128', '-mbulk-memory', '-mnontrapping-fptoint', '-nostdlib'];
  const link = ['-Wl,--no-entry', '-Wl,--strip-all'];
  const how = ['-O3', '-ffp-contract=off', '-Wall', '-Wextra', '-Wno-strict-prototypes'];
  execFileSync(
    process.env.CLANG ?? 'clang-14',
    [...target, ...how, ...link, '-o', compiled, path('kernels.c')],
    {
      stdio: 'inherit',
    },
  );
  const hash = createHash('sha256')
    .update(readFileSync(path('kernels.c')))
    .digest('hex');
  const text = readFileSync(compiled).toString('base64');
  writeFileSync(
    path('kernels-wasm.ts'),
    `/** Written by scripts/build-image-kernels.mjs from kernels.c. */
export const SOURCE_SHA256 = '${hash}';
export const WASM_BASE64 =
  '${text}';
`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
