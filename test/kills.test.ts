// The compiled command line: `npm test` compiles it before. `npm run soak:resume` makes a hundred kills.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomStream } from '../src/image/random.js';
import { featmatch, killTrainings, trainArguments } from './support/kills.js';
import { remainsOf } from './support/remains.js';
import { writeTinyMnist } from './support/tiny-mnist.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-kills-'));
beforeAll(() => writeTinyMnist(join(folder, 'data')));
afterAll(() => rmSync(folder, { recursive: true }));

it('a run that is killed again and again ends bit for bit as one that is not', async () => {
  const seed = Date.now() % 1e6;
  expect(featmatch(folder, trainArguments(24, 'whole')).status).toBe(0);
  const { trainings } = await killTrainings({ folder, kills: 3, steps: 24, random: randomStream(seed) });
  for (const run of trainings) {
    expect(remainsOf(join(folder, run)), `seed ${seed}`).toEqual(remainsOf(join(folder, 'whole')));
  }
}, 300_000);
