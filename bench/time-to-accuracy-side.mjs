// Our sides of time-to-accuracy.mjs. Usage: node time-to-accuracy-side.mjs <configuration> <limits> <results>, JSON files.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDataset, train } from '../dist/index.js';
import { readRunMetrics } from '../dist/runs/index.js';

const [config, { enough, mostCpuSeconds }] = process.argv
  .slice(2, 4)
  .map((path) => JSON.parse(readFileSync(path, 'utf8')));
const parent = mkdtempSync(join(tmpdir(), 'featmatch-bench-'));
const folder = join(parent, 'run');
const { every } = config.evaluation;
const abort = new AbortController();

const times = new Map(); // by step
let total = { seconds: 0, cpuSeconds: 0 };
let last = { seconds: 0, cpuSeconds: 0 };
let [clock, processor] = [performance.now(), process.cpuUsage()];
const end = () =>
  readRunMetrics(folder)
    .filter(({ testAccuracy }) => testAccuracy !== undefined)
    .map(({ step, testAccuracy }) => ({ step, ...times.get(step), accuracy: testAccuracy }));
try {
  await train(config, await loadDataset('mnist'), {
    folder,
    signal: abort.signal,
    onStart() {
      [clock, processor] = [performance.now(), process.cpuUsage()];
    },
    onStep({ step }) {
      const { user, system } = process.cpuUsage(processor);
      const interval = {
        seconds: (performance.now() - clock) / 1000,
        cpuSeconds: (user + system) / 1e6,
      };
      // an evaluation lies before the step: it counts as much as the one before it
      if (step % every !== 1 || step === 1) last = interval;
      total = {
        seconds: total.seconds + last.seconds,
        cpuSeconds: total.cpuSeconds + last.cpuSeconds,
      };
      times.set(step, total);
      if (step % every === 1 && step > 1) {
        const point = end().at(-1);
        process.stderr.write(`${JSON.stringify(point)}\n`);
        if (point.accuracy >= enough || total.cpuSeconds >= mostCpuSeconds) abort.abort('enough');
      }
      [clock, processor] = [performance.now(), process.cpuUsage()];
    },
  });
} catch (error) {
  if (!abort.signal.aborted) throw error;
}
writeFileSync(process.argv[4], JSON.stringify(end()));
rmSync(parent, { recursive: true });
