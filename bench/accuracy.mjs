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
  // 5 and 24 % of the target's training images; needs "featmatch data build emoji-styles"
  'emoji-styles-10': ['--preset', 'emoji-styles', '--labels', '10'],
  'emoji-styles-50': ['--preset', 'emoji-styles', '--labels', '50'],
  'fashion-mnist-400': ['--preset', 'fashion-mnist', '--labels', '400'],
};
const algorithms = ['featmatch', 'supervised'];
const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true, // settings; default all
  options: {
    seeds: { type: 'string', default: '0,1,2' },
    parallel: { type: 'string', default: '1' }, // trainings at once, which share the cores
    threads: { type: 'string' }, // of each training; default: its share of the cores
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
const threads = Number(values.threads ?? Math.max(1, Math.floor(availableParallelism() / parallel)));
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
const folders = trainings.map(({ folder }) => folder);
spawn(process.execPath, [cli, 'report', ...folders, ...(values.json ? ['--json'] : [])], {
  stdio: 'inherit',
});

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
