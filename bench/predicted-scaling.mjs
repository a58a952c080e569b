// node bench/predicted-scaling.mjs [--teraflops 10]: the tables of docs/scaling.md. What a step of the published settings would take on
// 1 to 512 GPUs, from what is counted here (gradients, arithmetic, operator calls of our own step) and what is assumed
// below. A prediction: nothing of it was measured on a GPU.
import { parseArgs } from 'node:util';
import { resolveConfig } from '../dist/config/index.js';
import { createEncoder } from '../dist/models/index.js';
import { Conv2d } from '../dist/nn/index.js';
import { algorithmOf } from '../dist/ssl/index.js';
import {
  BUFFER_BYTES,
  Generator,
  noGrad,
  setConvolutionAlgorithm,
  setThreads,
  tidy,
  zeros,
} from '../dist/tensor/index.js';
import { native } from '../dist/tensor/native.js';

const { values } = parseArgs({ options: { teraflops: { type: 'string', default: '10' } } });
const ASSUMED = {
  teraflops: Number(values.teraflops), // what a GPU sustains in float32 on full batches
  launch: 10e-6, // s of an operator call that is too small for the GPU to be busy with
  inHost: { gpus: 8, bytesPerSecond: 200e9, latency: 5e-6 },
  between: { bytesPerSecond: 12.5e9, latency: 20e-6 }, // 100 Gbit/s a host
};
const SETTINGS = [
  { title: 'CIFAR-10, WRN-28-2', preset: 'reference-cifar10-250', side: 32, classes: 10 },
  { title: 'CIFAR-100, CNN-13', preset: 'reference-cifar100-10000', side: 32, classes: 100 },
  { title: 'mini-ImageNet, ResNet-18', preset: 'reference-mini-imagenet-10000', side: 84, classes: 100 },
  { title: 'DomainNet, ResNet-18', preset: 'reference-domainnet-25', side: 128, classes: 345 },
];

setThreads(1);
setConvolutionAlgorithm('direct'); // as on a GPU
for (const setting of SETTINGS) {
  const counted = count(setting);
  const { batch, algorithm } = counted.config;
  const { labeled, unlabeled } = algorithmOf(algorithm).passes(algorithm);
  const images = (key) => batch.labeled * labeled[key] + batch.unlabeled * unlabeled[key];
  const work = { learning: images('learning'), guessing: images('guessing') };
  console.log(
    `\n${setting.title}: ${(counted.gradientBytes / 1e6).toFixed(1)} MB of gradients, ${(counted.flops / 1e9).toFixed(2)} GFLOP a forward pass of an image, ` +
      `${counted.calls} operator calls in it; a step learns from ${work.learning} views and guesses on ${work.guessing}\n`,
  );
  console.log(
    '| GPUs | same batch: step, ms | waits for the exchange, ms | efficiency | batch grows with GPUs: efficiency |',
  );
  console.log('|---:|---:|---:|---:|---:|');
  const alone = stepTime(counted, work, 1, 1);
  for (const gpus of [1, 8, 16, 32, 64, 128, 256, 512]) {
    const fixed = stepTime(counted, work, gpus, 1 / gpus);
    const grown = stepTime(counted, work, gpus, 1);
    const canShare = batch.labeled % gpus === 0 && batch.unlabeled % gpus === 0;
    const cells = canShare
      ? [ms(fixed.total), ms(fixed.exchange), percent(alone.total / gpus / fixed.total)]
      : ['–', '–', `– (${batch.labeled} labeled images)`];
    console.log(`| ${gpus} | ${cells.join(' | ')} | ${percent(alone.total / grown.total)} |`);
  }
}

/** Gradients, arithmetic and calls of a forward pass of one image. */
function count({ preset, side, classes }) {
  const config = resolveConfig({ preset });
  const generator = new Generator(0);
  let flops = 0;
  const forward = Conv2d.prototype.forward;
  Conv2d.prototype.forward = function counting(input) {
    const output = forward.call(this, input);
    const [, inputs, height, width] = this.weight.shape;
    flops += 2 * inputs * height * width * output.size; // of one image
    return output;
  };
  const network = algorithmOf(config.algorithm).createNetwork(config.algorithm, {
    classes,
    generator,
    createEncoder: () => createEncoder(config.model, { channels: 3, generator }),
  });
  const gradientBytes = network.parameters().reduce((sum, { size }) => sum + 4 * size, 0);
  let calls = 0;
  const engine = native();
  const call = engine.call;
  engine.call = (...args) => {
    calls++;
    return call(...args);
  };
  tidy(() => noGrad(() => network.encoder.forward(zeros([1, 3, side, side]).contiguous('channels-last'))));
  engine.call = call;
  Conv2d.prototype.forward = forward;
  const features = network.encoder.featureDimension;
  return { config, gradientBytes, flops, calls, features, classes };
}

/** T = max(arithmetic, calls) + what is left of the exchange, in seconds. @param share of the batch of one GPU that each of `gpus` has */
function stepTime({ config, gradientBytes, flops, calls, features, classes }, work, gpus, share) {
  const arithmetic = (flops * share * (3 * work.learning + work.guessing)) / (ASSUMED.teraflops * 1e12);
  const launching = calls * ASSUMED.launch * (3 + (work.guessing > 0 ? 1 : 0)); // backward: twice the calls
  const bank = 4 * config.batch.unlabeled * share * gpus * (features + classes);
  const computing = Math.max(arithmetic, launching);
  const backward = (computing * 2 * work.learning) / (3 * work.learning + work.guessing);
  // the last buffer has nothing to overlap with
  const last = ringTime(2 * Math.min(gradientBytes, BUFFER_BYTES), gpus, 2);
  const gradients = ringTime(2 * gradientBytes, gpus, 2);
  const left = Math.max(last, gradients - backward) + ringTime(bank, gpus, 1);
  return { total: computing + left, exchange: left };
}

/** Rings within the hosts and between them. @param bytes that pass every link @param rounds of latency */
function ringTime(bytes, gpus, rounds) {
  if (gpus === 1) return 0;
  const inside = Math.min(gpus, ASSUMED.inHost.gpus);
  const hosts = gpus / inside;
  const ring = (members, { bytesPerSecond, latency }) =>
    ((members - 1) / members) * (bytes / bytesPerSecond) + rounds * (members - 1) * latency;
  return ring(inside, ASSUMED.inHost) + (hosts > 1 ? ring(hosts, ASSUMED.between) : 0);
}

function ms(seconds) {
  return (1000 * seconds).toFixed(1);
}

function percent(share) {
  return `${(100 * share).toFixed(0)} %`;
}
