// Training WRN-28-2 on 3×32×32 in batches of 64: two processes of one thread and 32 images each, which average their
// gradients, against one process of two threads. What the exchange takes where it does not overlap with the backward pass,
// by the time of a step where it does, and what waiting for the slower of the two takes before it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatSpread } from './sides.mjs';

const SIDE = fileURLToPath(new URL('distributed-side.mjs', import.meta.url));

export async function measure({ rounds }) {
  const folder = mkdtempSync(join(tmpdir(), 'featmatch-bench-'));
  const [two, one] = [[], []];
  try {
    for (let round = 0; round < rounds; round++) {
      const place = {
        WORLD_SIZE: '2',
        LOCAL_WORLD_SIZE: '2',
        FEATMATCH_RENDEZVOUS: join(folder, `${round}`),
      };
      const ranks = ['0', '1'].map((rank) => run(1, { ...place, RANK: rank, LOCAL_RANK: rank }));
      two.push((await Promise.all(ranks))[0]);
      one.push(await run(2));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const ratios = two.map(({ imagesPerSecond }, round) => imagesPerSecond / one[round].imagesPerSecond);
  return { two, one, ratios };
}

function run(threads, env = {}) {
  const child = spawn(process.execPath, [SIDE, String(threads)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.on('data', (text) => {
    printed += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(printed));
      else reject(new Error(`a process of the benchmark ended with ${code}`));
    });
  });
}

export function print({ two, one, ratios }) {
  const of = (sides, key) => sides.map((side) => side[key]);
  const percent = (values) =>
    `${formatSpread(
      values.map((value) => 100 * value),
      1,
    )} %`;
  console.log(`  two processes, one thread each  ${formatSpread(of(two, 'imagesPerSecond'), 1)} images/s`);
  console.log(`  one process, two threads        ${formatSpread(of(one, 'imagesPerSecond'), 1)} images/s`);
  console.log(`  two processes / one: ${formatSpread(ratios, 2)}`);
  console.log(
    `  exchange of ${two[0].gradientMegabytes.toFixed(1)} MB of gradients after the backward pass: ${formatSpread(of(two, 'exchangeMilliseconds'), 1)} ms, ` +
      `${percent(of(two, 'exchangeShare'))} of a step; waiting for the other before it: ${percent(of(two, 'waitingShare'))}`,
  );
}
