// 10,000 files through featmatch predict: resident memory stays what it was after the first ones.
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, expect, it } from 'vitest';
import { writeExportedModel } from '../support/exported.js';
import { MAIN } from './trained.js';

const FILES = 10_000;
const BROKEN = 5_000;
const KINDS = 50;
const folder = mkdtempSync(join(tmpdir(), 'featmatch-predict-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('classifies 10,000 files in memory that does not grow', async () => {
  await writeExportedModel(join(folder, 'model'));
  mkdirSync(join(folder, 'photos'));
  const name = (i: number) => join(folder, 'photos', `${String(i).padStart(5, '0')}.jpg`);
  for (let i = 0; i < FILES; i++) {
    if (i >= KINDS) copyFileSync(name(i % KINDS), name(i));
    else {
      const noise = Uint8Array.from({ length: 40 * 30 * 3 }, (_, at) => (at * (i + 7)) % 256);
      const image = sharp(noise, { raw: { width: 40, height: 30, channels: 3 } });
      await image
        .resize(200 + 20 * i, 300)
        .jpeg()
        .toFile(name(i)); // 200 to 1,180 pixels wide
    }
  }
  writeFileSync(name(BROKEN), 'no image');

  const child = spawn(process.execPath, [MAIN, 'predict', '--model', 'model', 'photos', '--json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  let lines = 0;
  const errors: string[] = [];
  const memory: number[] = []; // MB, every 1,000 images
  child.stdout.setEncoding('utf8');
  let rest = '';
  child.stdout.on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() as string;
    for (const line of parts) {
      if (JSON.parse(line).error !== undefined) errors.push(line);
      if (++lines % 1000 === 0 && lines < FILES) memory.push(residentMegabytes(child.pid as number));
    }
  });
  expect(await ended).toBe(1);
  console.log(`resident MB after each 1,000 of ${lines} images: ${memory.join(', ')}`);
  expect(lines).toBe(FILES);
  expect(errors).toHaveLength(1);
  expect(JSON.parse(errors[0])).toMatchObject({ image: expect.stringContaining('05000.jpg') });
  expect((memory.at(-1) as number) - memory[1]).toBeLessThan(30);
});

function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1000);
}
