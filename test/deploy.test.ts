// What docs/deploy.md tells to write, as it stands there.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ImageSource, loadModel, type Model } from '../src/infer/node/index.js';
import { writeExportedModel } from './support/exported.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const page = readFileSync(join(ROOT, 'docs/deploy.md'), 'utf8');
/** A project of its own, which has featmatch installed. */
const folder = mkdtempSync(join(tmpdir(), 'featmatch-deploy-'));
let model: Model<ImageSource>;

beforeAll(async () => {
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/featmatch'));
  await writeExportedModel(join(folder, 'model'));
  const noise = Uint8Array.from({ length: 200 * 150 * 3 }, (_, i) => (i * i * 31 + (i % 200) * 7) % 256);
  const photo = sharp(noise, { raw: { width: 200, height: 150, channels: 3 } }).blur(3);
  for (const name of ['photo.jpg', 'photo.png', 'a.png', 'b.png']) await photo.toFile(join(folder, name));
  model = await loadModel(join(folder, 'model'));
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true });
});

/** The first block of code below a heading. */
function codeBelow(heading: string): string {
  const [, code] = new RegExp(`\n## ${heading}\n.*?\n\`\`\`\\w+\n(.*?)\`\`\``, 's').exec(page) ?? [];
  return code;
}

it('Node', async () => {
  const code = codeBelow('Node').replace('runs/<run>/export', 'model');
  writeFileSync(join(folder, 'node.mjs'), code);
  const { stdout, stderr } = spawnSync(process.execPath, ['node.mjs'], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  const [classification, prototype] = stdout.split('\n');
  const { label, confidence, outOfDomain } = await model.classify(join(folder, 'photo.jpg'));
  expect(classification).toBe(`${label} ${confidence} ${outOfDomain}`);
  expect(prototype).toMatch(/^(cat|dog|owl) 0\.\d+ 1[012]$/);
});

it('a serverless function, behind real HTTP', async () => {
  writeFileSync(join(folder, 'function.mjs'), codeBelow('A serverless function'));
  const { default: handle } = await import(pathToFileURL(join(folder, 'function.mjs')).href);
  const server: Server = createServer(getRequestListener(handle));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const post = async (body: Uint8Array) => {
    const response = await fetch(url, { method: 'POST', body: new Uint8Array(body) });
    return { status: response.status, body: await response.json() };
  };
  const photo = readFileSync(join(folder, 'photo.jpg'));
  expect(await post(photo)).toEqual({ status: 200, body: await model.classify(photo) });
  expect(await post(Buffer.from('no image'))).toEqual({
    status: 422,
    body: { error: expect.stringMatching(/^the image: cannot be read as an image/) },
  });
  await new Promise((resolve) => server.close(resolve));
});

const PYTHON = '/usr/bin/python3'; // Debian's, which has Debian's packages
const hasPillow = spawnSync(PYTHON, ['-c', 'import numpy, PIL']).status === 0;

it.skipIf(!hasPillow)('Python, as far as the pixels, which are within a level of ours', async () => {
  const [beforeRuntime] = codeBelow('Python').replace(', onnxruntime', '').split('session =');
  const code = `${beforeRuntime.replaceAll('export/', 'model/')}print(pixels.ravel().tolist())`;
  const { stdout, stderr } = spawnSync(PYTHON, ['-c', code], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  const { data } = await model.decode(join(folder, 'photo.png'));
  const pixels: number[] = JSON.parse(stdout);
  expect(pixels).toHaveLength(data.length);
  expect(Math.max(...pixels.map((level, i) => Math.abs(level - data[i])))).toBeLessThanOrEqual(1);
});
