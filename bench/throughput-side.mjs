// One side of throughput.mjs. Usage: node throughput-side.mjs <threads>
import { createEncoder } from '../dist/models/index.js';
import { crossEntropy, Linear, Sgd } from '../dist/nn/index.js';
import { Generator, keep, normal, setThreads, tensor, tidy } from '../dist/tensor/index.js';
import { spread } from './sides.mjs';

const [BATCH, WARM_UP, STEPS, CLASSES] = [64, 3, 10, 10];
setThreads(Number(process.argv[2]));
const generator = new Generator(0);
const model = {
  name: 'wide-resnet',
  depth: 28,
  width: 2,
  strides: [1, 2, 2],
  batchNormMomentum: 0.1,
  preActivation: 'full',
};
const encoder = createEncoder(model, { channels: 3, generator });
const classifier = new Linear(encoder.featureDimension, CLASSES, { generator });
const parameters = new Map([...encoder.namedParameters(), ...classifier.namedParameters()]);
const optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
optimizer.learningRate = 0.01;
const images = keep(normal([BATCH, 3, 32, 32], 0, 1, { generator }).contiguous('channels-last'));
const labels = keep(tensor(Int32Array.from({ length: BATCH }, (_, i) => i % CLASSES)).to('int64'));

const seconds = [];
for (let step = 0; step < WARM_UP + STEPS; step++) {
  const started = performance.now();
  tidy(() => {
    const loss = crossEntropy(classifier.forward(encoder.forward(images)), labels);
    loss.backward();
    optimizer.step();
    return loss.item();
  });
  if (step >= WARM_UP) seconds.push((performance.now() - started) / 1000);
}
console.log(JSON.stringify({ imagesPerSecond: BATCH / spread(seconds).median }));
