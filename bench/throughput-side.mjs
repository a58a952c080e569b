// Our side of throughput.mjs. Usage: node throughput-side.mjs <name of the network> <batch> <side> <threads>
import { createEncoder } from '../dist/models/index.js';
import { crossEntropy, Linear, Sgd } from '../dist/nn/index.js';
import { Generator, keep, normal, setThreads, tensor, tidy } from '../dist/tensor/index.js';
import { timeSteps } from './featmatch-step.mjs';
import { spread } from './sides.mjs';

const CLASSES = 10;
const BACKBONES = {
  'WRN-28-2': { name: 'wide-resnet', depth: 28, width: 2, strides: [1, 2, 2], preActivation: 'full' },
  'CNN-13': { name: 'cnn-13' },
  'ResNet-18': { name: 'resnet-18' },
};
const [batch, side, threads] = process.argv.slice(3).map(Number);
setThreads(threads);
const generator = new Generator(0);
const model = { ...BACKBONES[process.argv[2]], batchNormMomentum: 0.1 };
const encoder = createEncoder(model, { channels: 3, generator });
const classifier = new Linear(encoder.featureDimension, CLASSES, { generator });
const parameters = new Map([
  ...[...encoder.namedParameters()].map(([name, parameter]) => [`encoder.${name}`, parameter]),
  ...classifier.namedParameters(),
]);
const optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
optimizer.learningRate = 0.01;
const images = keep(normal([batch, 3, side, side], 0, 1, { generator }).contiguous('channels-last'));
const labels = keep(tensor(Int32Array.from({ length: batch }, (_, i) => i % CLASSES)).to('int64'));

const step = () =>
  tidy(() => {
    const loss = crossEntropy(classifier.forward(encoder.forward(images)), labels);
    loss.backward();
    optimizer.step();
    return loss.item();
  });
const seconds = timeSteps(step, { warmUp: 3, steps: 7 });
console.log(JSON.stringify({ imagesPerSecond: batch / spread(seconds).median }));
