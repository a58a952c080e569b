// The preset mnist over 5,000 steps: how long the training thread waits for the loader, what prototypes cost, and whether
// a step takes as long at the end as at the beginning.
import { loadDataset, resolveConfig } from '../dist/index.js';
import { tidy } from '../dist/tensor/index.js';
import { configureEngine } from '../dist/train/engine.js';
import { placesOf, toBatch, toImages } from '../dist/train/pixels.js';
import { createTrainingLoader, prepareExperiment } from '../dist/train/prepare.js';
import { createLearning } from '../dist/train/train.js';
import { spread } from './sides.mjs';

const STEPS = 5000;
const WINDOW = 500;

export async function measure({ threads }) {
  const config = resolveConfig({ preset: 'mnist', values: { steps: STEPS, threads } });
  configureEngine(config);
  const experiment = prepareExperiment(config, await loadDataset('mnist'));
  const { data, split, normalization } = experiment;
  const learning = createLearning(experiment, null);
  const layout = {
    ...learning.algorithm.views(config.algorithm),
    places: placesOf(split.unlabeled, data.train.count),
  };
  const normalize = (pixels) => toImages(pixels, data.train, normalization);
  const loader = createTrainingLoader(experiment, 0);
  const waits = [];
  const steps = [];
  for (let step = 0; step < STEPS; step++) {
    const started = performance.now();
    const batch = await loader.next();
    waits.push(performance.now() - started);
    tidy(() => learning.step(toBatch(batch, layout, normalize), step));
    batch.release();
    steps.push(performance.now() - started);
  }
  await loader.close();
  const { warmupSteps, extractEvery } = config.algorithm;
  const isExtraction = (step) => step >= warmupSteps && (step - warmupSteps) % extractEvery === 0;
  const usual = (from, to) => spread(steps.slice(from, to).filter((_, i) => !isExtraction(from + i))).median;
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const begin = warmupSteps + 1; // before that there are no prototypes, and steps do less
  const [first, last] = [usual(begin, begin + WINDOW), usual(STEPS - WINDOW, STEPS)];
  const extractions = steps
    .filter((_, step) => isExtraction(step))
    .map((milliseconds) => milliseconds - first);
  return {
    threads,
    firstMilliseconds: first,
    lastMilliseconds: last,
    lastByFirst: last / first,
    waitPercent: (100 * sum(waits)) / sum(steps),
    extractionMilliseconds: spread(extractions).median,
    extractionPercent: (100 * sum(extractions)) / sum(steps),
  };
}

export function print(result) {
  const { firstMilliseconds, lastMilliseconds, lastByFirst } = result;
  console.log(
    `  a step: median ${firstMilliseconds.toFixed(2)} ms in the first ${WINDOW} with prototypes, ` +
      `${lastMilliseconds.toFixed(2)} ms in the last: ${lastByFirst.toFixed(3)}`,
  );
  console.log(`  waits for the loader: ${result.waitPercent.toFixed(2)} % of the time`);
  console.log(
    `  prototypes: ${result.extractionMilliseconds.toFixed(0)} ms each time, ${result.extractionPercent.toFixed(2)} % of the time`,
  );
}
