import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeExportedModel } from '../../test/support/exported.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'featmatch-serve-'));
beforeAll(() => writeExportedModel(folder));
afterAll(() => rmSync(folder, { recursive: true }));

function printed(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (data) => {
      text += data;
      const match = pattern.exec(text);
      if (match) resolve(match);
    });
    child.on('close', () => reject(new Error(`it ended, having printed ${text}`)));
  });
}

it('serves until Ctrl-C', async () => {
  const child = spawn(process.execPath, [
    MAIN,
    'serve',
    '--model',
    folder,
    '--port',
    '0',
    '--max-megapixels',
    '1',
  ]);
  const ended = new Promise((resolve) => child.on('close', resolve));
  const [url] = await printed(child, /http:\/\/127\.0\.0\.1:\d+/);
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok' });
  const image = sharp({ create: { width: 1001, height: 1000, channels: 3, background: 'red' } });
  const body = new Uint8Array(await image.png().toBuffer());
  const answer = await fetch(`${url}/classify`, { method: 'POST', body });
  expect(await answer.json()).toEqual({ error: expect.stringContaining('pixel limit') });
  child.kill('SIGINT');
  expect(await ended).toBe(130);
});
