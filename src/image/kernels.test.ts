import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { kernels } from './kernels.js';
import { SOURCE_SHA256 } from './kernels-wasm.js';
import { MAX_IMAGE_BYTES } from './workspace.js';

test('the WebAssembly is compiled from kernels.c as it is: else npm run build:image-kernels', () => {
  const source = readFileSync(new URL('kernels.c', import.meta.url));
  expect(SOURCE_SHA256).toBe(createHash('sha256').update(source).digest('hex'));
  expect(source.toString()).toContain('#define MAX_IMAGE_BYTES (512 * 512 * 3)');
  expect(MAX_IMAGE_BYTES).toBe(512 * 512 * 3);
  expect(kernels.outputAddress() - kernels.inputAddress()).toBeGreaterThanOrEqual(MAX_IMAGE_BYTES);
});
