// One process of distributed.mjs. Usage, with the variables of a launcher where it is one of several:
// node distributed-side.mjs <threads>
import { createEncoder } from '../dist/models/index.js';
import { crossEntropy, Linear, runningStatistics, Sgd } from '../dist/nn/index.js';
import { Generator, keep, normal, setThreads, tensor, tidy } from '../dist/tensor/index.js';
import { detectLaunch } from '../dist/train/distributed/launcher.js';
import { alone, joinWorld } from '../dist/train/distributed/world.js';
import { spread } from './sides.mjs';

const [BATCH, WARM_UP, STEPS, CLASSES] = [64, 3, 12, 10];
setThreads(Number(process.argv[2]));
const launch = detectLaunch(process.env);
const world = launch.kind === 'alone' ? alone : await joinWorld(launch, { timeout: 120 });
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
const count = BATCH / world.size;
const images = keep(normal([count, 3, 32, 32], 0, 1, { generator }).contiguous('channels-last'));
const labels = keep(tensor(Int32Array.from({ length: count }, (_, i) => i % CLASSES)).to('int64'));

// Steps as in training, whose exchange overlaps with the backward pass, in turn with steps that exchange after it.
const [seconds, exchange, waiting] = [[], [], []];
for (let step = 0; step < 2 * (WARM_UP + STEPS); step++) {
  const isApart = step % 2 === 1;
  const started = performance.now();
  let [arrived, met, averaged] = [0, 0, 0];
  tidy(() => {
    const loss = crossEntropy(classifier.forward(encoder.forward(images)), labels);
    if (isApart) {
      loss.backward();
      arrived = performance.now();
      world.wait(); // who is early waits for the others, which is no cost of the exchange
      met = performance.now();
      world.average([...[...parameters.values()].map(({ grad }) => grad), ...runningStatistics(encoder)]);
      averaged = performance.now();
    } else {
      world.backward(loss, [...parameters.values()], runningStatistics(encoder));
    }
    optimizer.step();
  });
  if (step < 2 * WARM_UP) continue;
  if (isApart) {
    waiting.push((met - arrived) / 1000);
    exchange.push((averaged - met) / 1000);
  } else {
    seconds.push((performance.now() - started) / 1000);
  }
}
world.leave?.();
const median = (values) => spread(values).median;
console.log(
  JSON.stringify({
    rank: world.rank,
    imagesPerSecond: BATCH / median(seconds),
    exchangeShare: median(exchange) / median(seconds),
    waitingShare: median(waiting) / median(seconds),
    exchangeMilliseconds: 1000 * median(exchange),
    gradientMegabytes: [...parameters.values()].reduce((sum, { size }) => sum + size * 4, 0) / 1e6,
  }),
);
