// What saving and logging cost, as shares of the training time of the preset mnist at its default intervals.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDataset, resolveConfig, train } from '../dist/index.js';
import { openMetrics, readMetrics } from '../dist/runs/metrics.js';
import { formatSpread, spread } from './sides.mjs';

const SAVE_EVERY = 25; // here, to have many of them; prototypes are made at step 200, so that the bank fills up after that
const STEPS = 600;
const LINES = 200_000;

export async function measure({ threads }) {
  const folder = mkdtempSync(join(tmpdir(), 'featmatch-bookkeeping-'));
  try {
    const { logEvery, saveEvery } = resolveConfig({ preset: 'mnist' });
    const stepMilliseconds = [];
    const saveMilliseconds = [];
    const config = resolveConfig({
      preset: 'mnist',
      values: { steps: STEPS, saveEvery: SAVE_EVERY, logEvery: STEPS, predictUnlabeled: false, threads },
    });
    let last = performance.now();
    await train(config, await loadDataset('mnist'), {
      folder: join(folder, 'run'),
      onStep({ step }) {
        const now = performance.now();
        (step % SAVE_EVERY === 1 && step > 1 ? saveMilliseconds : stepMilliseconds).push(now - last);
        last = now;
      },
    });
    const step = spread(stepMilliseconds).median;
    const saves = saveMilliseconds.map((milliseconds) => milliseconds - step);
    const line = measureLine(
      join(folder, 'many.jsonl'),
      readMetrics(join(folder, 'run', 'metrics.jsonl'))[0],
    );
    return {
      threads,
      stepMilliseconds: step,
      saveMilliseconds: saves,
      savingPercent: saves.map((milliseconds) => (100 * milliseconds) / (saveEvery * step)),
      lineMilliseconds: line,
      loggingPercent: (100 * line) / (logEvery * step),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Milliseconds for a line of metrics, its way to the disk included. */
function measureLine(path, line) {
  const writer = openMetrics(path);
  const started = performance.now();
  for (let i = 0; i < LINES; i++) writer.append({ ...line, step: i });
  writer.save();
  const milliseconds = (performance.now() - started) / LINES;
  writer.close();
  return milliseconds;
}

export function print({
  stepMilliseconds,
  saveMilliseconds,
  savingPercent,
  lineMilliseconds,
  loggingPercent,
}) {
  console.log(`  a step      ${stepMilliseconds.toFixed(1)} ms`);
  console.log(
    `  a save      ${formatSpread(saveMilliseconds, 1)} ms: ${formatSpread(savingPercent, 3)} % of training`,
  );
  console.log(
    `  a log line  ${(1000 * lineMilliseconds).toFixed(1)} µs: ${loggingPercent.toFixed(5)} % of training`,
  );
}
