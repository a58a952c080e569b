// The side of scaling.mjs. Usage: node scaling-side.mjs <threads>
import { createLoader } from '../dist/data/loader.js';
import { defaultViewOptions } from '../dist/image/views.js';
import { memoryStatistics } from '../dist/tensor/index.js';
import { createStep, timeSteps } from './featmatch-step.mjs';
import { spread } from './sides.mjs';

const threads = Number(process.argv[2]);
const SMALL = { batch: { labeled: 8, unlabeled: 16 }, model: { depth: 10 } };

/** What grows, the sizes that it takes, and the settings of a step for one. */
const STEPS = {
  batch: [[1, 2, 4, 8], (size) => ({ batch: { labeled: 2 * size, unlabeled: 4 * size } })],
  K: [[2, 4, 8, 16], (size) => ({ algorithm: { strongViews: size } })],
  p_k: [[10, 20, 40, 80], (size) => ({ algorithm: { prototypesPerClass: size }, labeledImages: 1000 })],
  classes: [[5, 10, 20, 40], (size) => ({ classes: size, labeledImages: 1000 })],
};

function measureStep(settings) {
  const { step } = createStep('reference', { threads, ...SMALL, ...settings });
  step(0); // makes the prototypes
  memoryStatistics({ resetPeak: true });
  const before = memoryStatistics().allocated;
  const seconds = timeSteps((number) => step(1 + number), { warmUp: 1, steps: 4 });
  return {
    milliseconds: 1000 * spread(seconds).median,
    megabytes: (memoryStatistics().peak - before) / 1e6,
  };
}

/** A batch from the loader, with so many unlabeled images and threads that make views. */
async function measureLoader({ images = 10_000, workers = 1 }) {
  const [height, width, channels] = [28, 28, 1];
  const size = { height, width, channels };
  const before = process.memoryUsage().rss;
  const pixels = new Uint8Array(new SharedArrayBuffer(images * height * width * channels)).fill(1);
  const labeled = Int32Array.from({ length: 40 }, (_, i) => i);
  const loader = createLoader({
    dataset: { ...size, count: images, images: pixels },
    labeled,
    labels: labeled.map((i) => i % 10),
    unlabeled: Int32Array.from({ length: images - 40 }, (_, i) => 40 + i),
    ...{ labeledBatch: 16, unlabeledBatch: 48, workers, prefetch: 4, seed: 0 },
    ...{ labeledViews: { weak: 0, strong: 1 }, unlabeledViews: { weak: 1, strong: 1 } },
    views: defaultViewOptions(size),
  });
  const next = async () => (await loader.next()).release();
  for (let warmUp = 0; warmUp < 50; warmUp++) await next();
  const started = performance.now();
  const batches = 150;
  for (let batch = 0; batch < batches; batch++) await next();
  const milliseconds = (performance.now() - started) / batches;
  const megabytes = (process.memoryUsage().rss - before) / 1e6;
  await loader.close();
  return { milliseconds, megabytes };
}

const result = {};
for (const [name, [sizes, settingsOf]] of Object.entries(STEPS)) {
  result[name] = sizes.map((size) => ({ size, ...measureStep(settingsOf(size)) }));
}
result['unlabeled images'] = [];
for (const images of [10_000, 40_000, 160_000]) {
  result['unlabeled images'].push({ size: images, ...(await measureLoader({ images })) });
}
result['loader threads'] = [];
for (const workers of [1, 2, 4]) {
  const { milliseconds } = await measureLoader({ workers }); // the process gave and took memory before
  result['loader threads'].push({ size: workers, milliseconds });
}
console.log(JSON.stringify(result));
