// npm run soak:resume: a hundred kills at random moments, and every run ends as if nothing had been.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { randomStream } from '../../src/image/random.js';
import { featmatch, killTrainings, trainArguments } from '../support/kills.js';
import { remainsOf } from '../support/remains.js';
import { writeTinyMnist } from '../support/tiny-mnist.js';

const seed = Date.now() % 1e6;
const folder = mkdtempSync(join(tmpdir(), 'featmatch-kills-'));
beforeAll(() => writeTinyMnist(join(folder, 'data')));
afterAll(() => rmSync(folder, { recursive: true }));

it(`runs that are killed end bit for bit as one that is not (seed ${seed})`, async () => {
  const options = { folder, kills: 100, steps: 150, random: randomStream(seed) };
  expect(featmatch(folder, trainArguments(150, 'whole')).status).toBe(0);
  const report = await killTrainings(options);
  console.log(report);
  for (const run of report.trainings) {
    expect(remainsOf(join(folder, run)), run).toEqual(remainsOf(join(folder, 'whole')));
  }
});
