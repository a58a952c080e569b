// The compiled command with an exported model, as its users start it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeExportedModel } from '../../test/support/exported.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'featmatch-predict-'));

function predict(args: readonly string[], { input = '', env = {} } = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'predict', '--model', 'model', ...args],
    {
      cwd: folder,
      input,
      env: { ...process.env, ...env },
      encoding: 'utf8',
    },
  );
  return { status, stderr, lines: stdout.split('\n').slice(0, -1) };
}

beforeAll(async () => {
  await writeExportedModel(join(folder, 'model'));
  mkdirSync(join(folder, 'photos'));
  for (const [i, background] of ['#d04020', '#205090', '#707070'].entries()) {
    const image = sharp({ create: { width: 40, height: 30, channels: 3, background } });
    await image.toFile(join(folder, 'photos', `${i}.png`));
  }
  writeFileSync(join(folder, 'photos/1b.png'), readFileSync(join(folder, 'photos/1.png')).subarray(0, 70));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('classifies a folder; a broken file in the middle is one line, does not stop the rest, and ends in exit code 1', () => {
  const { status, stderr, lines } = predict(['photos', '--json', '--top', '3']);
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  const results = lines.map((line) => JSON.parse(line));
  expect(results.map(({ image }) => image)).toEqual(
    ['0', '1', '1b', '2'].map((name) => `photos/${name}.png`),
  );
  expect(results[2]).toEqual({
    image: 'photos/1b.png',
    error: expect.stringMatching(/^photos\/1b\.png: cannot be read as an image/),
  });
  expect(results[3]).toEqual({
    image: 'photos/2.png',
    label: expect.stringMatching(/cat|dog|owl/),
    confidence: results[3].classes[0].probability,
    outOfDomain: false,
    similarity: expect.any(Number),
    classes: expect.any(Array),
  });
  expect(results[3].classes).toHaveLength(3);
});

it('takes globs and a list on standard input, and prints a line an image for people', () => {
  const { status, lines } = predict(['photos/[0-2].png', '-'], { input: 'photos/0.png\n' });
  expect(status).toBe(0);
  expect(lines).toHaveLength(4);
  for (const line of lines) expect(line).toMatch(/^photos\/\d\.png {2}(cat|dog|owl) [\d.]+ %$/);
  expect(lines[3]).toBe(lines[0]);
});

it('loads nothing of training', () => {
  const coverage = join(folder, 'coverage'); // for its sake Node writes down what it loaded
  expect(predict(['photos/0.png'], { env: { NODE_V8_COVERAGE: coverage } }).status).toBe(0);
  const [report] = readdirSync(coverage).map((name) => readFileSync(join(coverage, name), 'utf8'));
  const loaded: string[] = JSON.parse(report).result.map(({ url }: { url: string }) => url);
  const own = loaded.filter((url) => !url.includes('node_modules'));
  const rooms = own.flatMap((url) => /\/dist\/([^/]+)\//.exec(url)?.[1] ?? []);
  expect(new Set(rooms)).toEqual(new Set(['cli', 'runs', 'data', 'image', 'infer']));
});
