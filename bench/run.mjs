// npm run bench [-- <name>] [--json]: every benchmark, or one. Each measures both sides in turn in one run.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

const benchmarks = {
  throughput: 'training WRN-28-2 on 3×32×32, batches of 64: images/s against PyTorch',
  step: 'one FeatMatch step, WRN-28-2: images/s and memory against PyTorch doing the published step',
  bookkeeping: 'saving and logging: share of the training time of the preset mnist',
  inference: 'classifying with an exported model: images/s against ONNX Runtime alone',
  'first-prediction': 'from the start of a process to the class of one photo, with an exported model',
  kmeans:
    'K-means of 64,000×128 features, 10 classes, 9 clusters each: points/s and inertia against scikit-learn',
  augmentation: 'RandAugment on RGB images at 32, 84 and 128 px: images/s against Pillow, one thread each',
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const unknown = positionals.find((name) => !Object.hasOwn(benchmarks, name));
if (unknown !== undefined) {
  console.error(`bench: there is no benchmark '${unknown}'; there are ${Object.keys(benchmarks).join(', ')}`);
  process.exit(2);
}
const results = {};
for (const name of positionals.length > 0 ? positionals : Object.keys(benchmarks)) {
  if (!values.json) console.log(`${name}: ${benchmarks[name]}`);
  const { measure, print } = await import(`./${name}.mjs`);
  results[name] = await measure({ rounds: Number(values.rounds), threads: Number(values.threads) });
  if (!values.json) print(results[name]);
}
if (values.json) console.log(JSON.stringify(results, null, 2));
