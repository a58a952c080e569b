// Time until MNIST with 40 labels reaches 97 and 98 % test accuracy, with the network of the preset mnist (WRN-10-2 with
// strides 2, 2, 2) on every side: the preset itself; FeatMatch as published, here; and the same in PyTorch, with Pillow's
// views and scikit-learn's K-means. The published plan of 183,000 steps is shortened to 3,000, and its batch to the
// preset's, which serves it better here. Test images are a stopping clock, and nothing is chosen by them.
//
// What is measured is kept, a file for each side and seed in runs/time-to-accuracy, and not measured again; delete a file
// to repeat it. A side ends where it reaches 98 %, or after its steps; with other seeds than the first also after ten minutes
// of processor time.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultViewOptions } from '../dist/image/views.js';
import { loadDataset, resolveConfig } from '../dist/index.js';
import { prepareExperiment } from '../dist/train/prepare.js';
import { pathOf } from './sides.mjs';

const FOLDER = pathOf('../runs/time-to-accuracy');
const AIMS = [0.97, 0.98];
const MOST_SEEDS = 3;
const MOST_CPU_SECONDS = 600; // of all seeds but the first
const EVERY = 50; // steps between two looks
const STEPS = 3000;
const CYCLE = { pretrainSteps: 49, cycleSteps: 1230, endSteps: 491 };

const PUBLISHED = {
  algorithm: {
    name: 'featmatch-reference',
    pretrainSteps: CYCLE.pretrainSteps,
    rampSteps: CYCLE.cycleSteps,
    extractEvery: 100,
  },
  model: { preActivation: 'first-only' },
  views: { weakFirst: false, cutout: 0, exclude: [] },
  optimizer: {
    learningRate: 0.04,
    momentum: 0.95,
    weightDecay: 2e-4,
    schedule: 'cycle',
    cycle: CYCLE,
  },
  ema: { decay: 0 },
};

/** Commands, without the file that their results go to. */
const SIDES = {
  'featmatch, preset mnist': (options) => ours({}, options),
  'featmatch, as published': (options) => ours(PUBLISHED, options),
  'PyTorch, as published': (options) => {
    const config = configOf(PUBLISHED, options);
    const { algorithm, batch, data, optimizer, seed } = config;
    const { strongViews, pretrainSteps, rampSteps, extractEvery } = algorithm;
    const settings = {
      ...{ seed, threads: options.threads, workers: data.workers, batch, steps: STEPS },
      ...{ strongViews, pretrainSteps, rampSteps, extractEvery },
      ...{ learningRate: optimizer.learningRate, cycle: optimizer.cycle },
      ...{ cropPadding: defaultViewOptions(options.images.train).cropPadding },
      labeled: [...prepareExperiment(config, options.images).split.labeled],
      ...{ data: FOLDER, evaluateEvery: EVERY, ...limitsOf(options) },
    };
    return ['/usr/bin/python3', pathOf('pytorch/time_to_accuracy.py'), jsonFile('settings', settings)];
  },
};

function ours(values, options) {
  const files = [jsonFile('configuration', configOf(values, options)), jsonFile('limits', limitsOf(options))];
  return [process.execPath, pathOf('time-to-accuracy-side.mjs'), ...files];
}

function limitsOf({ seed }) {
  return { enough: AIMS.at(-1), mostCpuSeconds: seed === 0 ? Number.MAX_VALUE : MOST_CPU_SECONDS };
}

function configOf(values, { threads, seed }) {
  return resolveConfig({
    preset: 'mnist',
    values: {
      ...values,
      ...{ seed, threads, steps: STEPS, saveEvery: 0, logEvery: EVERY, predictUnlabeled: false },
      evaluation: { protocol: 'median', every: EVERY },
    },
  });
}

function jsonFile(name, value) {
  const path = join(FOLDER, `${name}.json`);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

export async function measure({ rounds, threads }) {
  mkdirSync(FOLDER, { recursive: true });
  const images = await loadDataset('mnist');
  for (const part of ['train', 'test']) {
    writeFileSync(join(FOLDER, `${part}-images`), images[part].images);
    writeFileSync(join(FOLDER, `${part}-labels`), Uint8Array.from(images[part].labels));
  }
  const names = Object.keys(SIDES);
  const seeds = Array.from({ length: Math.min(rounds, MOST_SEEDS) }, (_, seed) => seed);
  const points = Object.fromEntries(names.map((name) => [name, []]));
  for (const seed of seeds) {
    for (const name of names) {
      const file = join(FOLDER, `${name.replaceAll(/\W+/g, '-')}-${threads}-threads-seed-${seed}.json`);
      if (!existsSync(file)) run(SIDES[name]({ threads, seed, images }), file);
      points[name].push(JSON.parse(readFileSync(file, 'utf8')));
    }
  }
  return points;
}

function run([command, ...args], file) {
  const unfinished = `${file}.unfinished`;
  const { status } = spawnSync(command, [...args, unfinished], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args[0]} failed`);
  renameSync(unfinished, file);
}

/** A line for each side, seed and aim: when it was reached, or how far the side came in its time. */
export function print(points) {
  for (const [name, seeds] of Object.entries(points)) {
    for (const [seed, looks] of seeds.entries()) {
      for (const aim of AIMS) {
        const reached = looks.find(({ accuracy }) => accuracy >= aim);
        const best = Math.max(...looks.map(({ accuracy }) => accuracy));
        const { step, seconds, cpuSeconds } = reached ?? looks.at(-1);
        const when = `${seconds.toFixed(0)} s, ${cpuSeconds.toFixed(0)} s of processor time, step ${step}`;
        const what = `${100 * aim} % ${reached ? 'after' : `not reached, best ${(100 * best).toFixed(1)} %, after`}`;
        console.log(`  ${name.padEnd(24)}  seed ${seed}  ${what} ${when}`);
      }
    }
  }
}
