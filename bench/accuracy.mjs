// npm run bench:accuracy: test accuracy of the presets, FeatMatch beside the supervised baseline at equal steps.
// Every training is a run in runs/accuracy/; what is finished is not repeated, so an interrupted bench goes on where it
// was. Test images are looked at once a run, at its end; every choice was made on validation images.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const settings = {
  'mnist-40': ['--preset', 'mnist', '--labels', '40'],
  'mnist-100': ['--preset', 'mnist', '--labels', '100'],
  'fashion-mnist-100': ['--preset', 'fashion-mnist', '--labels', '100'],
  'fashion-mnist-400': ['--preset', 'fashion-mnist', '--labels', '400'],
};
const algorithms = ['featmatch', 'supervised'];
const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true, // settings; default all
  options: {
    seeds: { type: 'string', default: '0,1,2' },
    parallel: { type: 'string', default: '1' }, // trainings at once, which share the cores
    json: { type: 'boolean', default: false },
  },
});
const unknown = positionals.find((name) => !Object.hasOwn(settings, name));
if (unknown !== undefined) {
  console.error(
    `bench:accuracy: there is no setting '${unknown}'; there are ${Object.keys(settings).join(', ')}`,
  );
  process.exit(2);
}
const seeds = values.seeds.split(',').map(Number);
const parallel = Number(values.parallel);
const threads = Math.max(1, Math.floor(availableParallelism() / parallel));
const names = positionals.length > 0 ? positionals : Object.keys(settings);
const trainings = seeds.flatMap((seed) =>
  names.flatMap((setting) =>
    algorithms.map((algorithm) => ({
      setting,
      algorithm,
      seed,
      folder: `runs/accuracy/${setting}-${algorithm}-seed-${seed}`,
    })),
  ),
);

const pending = trainings.filter(({ folder }) => recordOf(folder)?.status !== 'finished');
await Promise.all(Array.from({ length: parallel }, work));
report();

async function work() {
  for (let training = pending.shift(); training !== undefined; training = pending.shift())
    await run(training);
}

function run({ setting, algorithm, seed, folder }) {
  if (existsSync(folder)) renameSync(folder, `${folder}-interrupted-${Date.now()}`);
  const choices = [...settings[setting], '--algorithm', algorithm, '--seed', String(seed)];
  const fixed = [
    '--set',
    `threads=${threads}`,
    '--set',
    'predictUnlabeled=false',
    '--output',
    folder,
    '--json',
  ];
  console.error(`${setting}, ${algorithm}, seed ${seed}`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, 'train', ...choices, ...fixed], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let complaint = '';
    child.stderr.on('data', (text) => {
      complaint = (complaint + text).slice(-2000);
    });
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${folder}: ${complaint}`))));
  });
}

function recordOf(folder) {
  const path = `${folder}/run.json`;
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

function report() {
  const rows = names.flatMap((setting) =>
    algorithms.map((algorithm) => {
      const records = trainings
        .filter((training) => training.setting === setting && training.algorithm === algorithm)
        .map(({ folder }) => recordOf(folder));
      const accuracies = records.map(({ results }) => 100 * results.testAccuracy);
      const minutes = records.map(({ results }) => results.trainingSeconds / 60);
      return {
        setting,
        algorithm,
        seeds,
        accuracies,
        ...meanAndDeviation(accuracies),
        minutes: meanAndDeviation(minutes).mean,
        threads: records[0].machine.threads,
        commits: [...new Set(records.map(({ versions }) => versions.commit))],
      };
    }),
  );
  if (values.json) {
    console.log(JSON.stringify(rows, null, 2));
    return;
  }
  const lines = [
    ['data, labels', 'algorithm', 'test accuracy %', 'per seed', 'minutes a seed', 'threads', 'commit'],
    ...rows.map((row) => [
      row.setting,
      row.algorithm,
      `${row.mean.toFixed(2)} ± ${row.deviation.toFixed(2)}`,
      row.accuracies.map((accuracy) => accuracy.toFixed(2)).join(' '),
      row.minutes.toFixed(1),
      String(row.threads),
      row.commits.map((commit) => commit?.slice(0, 7) ?? '-').join(' '),
    ]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

/** The mean and the sample standard deviation. */
function meanAndDeviation(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}
