// npm run bench [-- <name>] [--json]: every benchmark, or one. Each measures both sides in turn in one run.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

const benchmarks = {
  throughput:
    'training WRN-28-2, CNN-13 and ResNet-18: images/s against PyTorch, and against convolutions alone',
  'shared-machine': 'training WRN-28-2 while another program keeps a processor busy, against PyTorch',
  step: 'one FeatMatch step, WRN-28-2: images/s and memory against PyTorch doing the published step',
  profile: 'where the time of that step goes, by operator',
  augf: "AugF's share of a step with WRN-28-2 and 192 images",
  training: 'the preset mnist: waits for the loader, prototypes, and whether steps stay as fast (minutes)',
  bookkeeping: 'saving and logging: share of the training time of the preset mnist',
  scaling: 'how time and memory of a step and of the loader grow: exponents',
  inference: 'classifying with an exported model: images/s against ONNX Runtime alone',
  'first-prediction': 'a cold process of featmatch/infer, from its start to the class of one image file',
  kmeans:
    'K-means of 64,000×128 features, 10 classes, 9 clusters each: points/s and inertia against scikit-learn',
  distributed:
    'WRN-28-2 in two processes of one thread each against one of two threads; share of communication',
  augmentation: 'RandAugment on RGB images at 32, 84 and 128 px: images/s against Pillow, one thread each',
  'time-to-accuracy':
    'MNIST with 40 labels to 97 and 98 %, against the published training in PyTorch (hours)',
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
