// What saving, logging and TensorBoard's files cost, as shares of the training time of the preset mnist at its default
// intervals.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDataset, resolveConfig, train } from '../dist/index.js';
import { openMetrics, readMetrics } from '../dist/runs/metrics.js';
import { formatSpread, spread } from './sides.mjs';

// Shorter than the defaults, to have many of them; prototypes are made at step 200, so that the bank fills up after that.
const SAVE_EVERY = 25;
const LOG_EVERY = 10;
const STEPS = 600;
const LINES = 200_000;

export async function measure({ threads }) {
  const folder = mkdtempSync(join(tmpdir(), 'featmatch-bookkeeping-'));
  try {
    const { logEvery, saveEvery } = resolveConfig({ preset: 'mnist' });
    const plain = await trainTimed(join(folder, 'plain'), { threads, tensorboard: false });
    const shown = await trainTimed(join(folder, 'shown'), { threads, tensorboard: true });
    const [metrics] = readMetrics(join(folder, 'plain', 'metrics.jsonl'));
    const line = measureLine(join(folder, 'many.jsonl'), metrics);
    const percent = ({ step }, milliseconds, every) => (100 * milliseconds) / (every * step);
    return {
      threads,
      stepMilliseconds: plain.step,
      saveMilliseconds: plain.saves,
      savingPercent: plain.saves.map((save) => percent(plain, save, saveEvery)),
      lineMilliseconds: line,
      loggingPercent: percent(plain, line, logEvery),
      tensorboard: {
        stepMilliseconds: shown.step,
        saveMilliseconds: shown.saves,
        lineMilliseconds: shown.lines,
        // a save comes with pictures, a line with a histogram
        percent:
          percent(shown, spread(shown.saves).median, saveEvery) +
          percent(shown, spread(shown.lines).median, logEvery),
      },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Milliseconds of a step, and how much longer those take which follow a save, or a line of metrics alone. */
async function trainTimed(folder, { threads, tensorboard }) {
  const [steps, saves, lines] = [[], [], []];
  const config = resolveConfig({
    preset: 'mnist',
    values: {
      steps: STEPS,
      saveEvery: SAVE_EVERY,
      logEvery: LOG_EVERY,
      predictUnlabeled: false,
      tensorboard,
      threads,
    },
  });
  let last = performance.now();
  await train(config, await loadDataset('mnist'), {
    folder,
    onStep({ step }) {
      const now = performance.now();
      const follows = (every) => step > 1 && step % every === 1;
      (follows(SAVE_EVERY) ? saves : follows(LOG_EVERY) ? lines : steps).push(now - last);
      last = now;
    },
  });
  const step = spread(steps).median;
  const beyond = (milliseconds) => milliseconds - step;
  return { step, saves: saves.map(beyond), lines: lines.map(beyond) };
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
  tensorboard,
}) {
  console.log(`  a step      ${stepMilliseconds.toFixed(1)} ms`);
  console.log(
    `  a save      ${formatSpread(saveMilliseconds, 1)} ms: ${formatSpread(savingPercent, 3)} % of training`,
  );
  console.log(
    `  a log line  ${(1000 * lineMilliseconds).toFixed(1)} µs: ${loggingPercent.toFixed(5)} % of training`,
  );
  console.log('  with TensorBoard');
  console.log(`    a step      ${tensorboard.stepMilliseconds.toFixed(1)} ms`);
  console.log(`    a save      ${formatSpread(tensorboard.saveMilliseconds, 1)} ms`);
  console.log(`    a log line  ${formatSpread(tensorboard.lineMilliseconds, 2)} ms`);
  console.log(`    both        ${tensorboard.percent.toFixed(3)} % of training`);
}
