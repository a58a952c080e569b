// One of several processes that do something together; prints what came of it as JSON. Usage, with the variables of a
// launcher: node world-process.mjs <what>. Needs the compiled project.
import { createHash } from 'node:crypto';
import { resolveConfig } from '../../dist/config/index.js';
import { createEncoder } from '../../dist/models/index.js';
import { Linear, runningStatistics, Sgd, synchronizeBatchNorm } from '../../dist/nn/index.js';
import { PrototypeMemory } from '../../dist/ssl/featmatch/prototype-memory.js';
import {
  arange,
  concatenate,
  Generator,
  keep,
  normal,
  noGrad,
  ones,
  setThreads,
  tensor,
  tidy,
} from '../../dist/tensor/index.js';
import { detectLaunch } from '../../dist/train/distributed/launcher.js';
import { alone, joinWorld } from '../../dist/train/distributed/world.js';
import { Learning } from '../../dist/train/learning.js';

setThreads(1);
const launch = detectLaunch(process.env);
const world = launch.kind === 'alone' ? alone : await joinWorld(launch, { timeout: 20 });
const { rank, size } = world;

const tasks = {
  collectives() {
    const large = ones([3_000_000]).mul(rank); // more than travels at once
    const transposed = tensor([0, 1, 2, 3, 4, 5], [2, 3]).mul(rank).transpose(0, 1);
    world.average([transposed, large, tensor([rank])]);
    const shared = tensor([rank + 5, 1]);
    world.broadcast(shared);
    const x = tensor([rank + 1, 2]);
    x.requiresGrad = true;
    const sum = world.sum(x);
    sum.mul(tensor([3, rank + 1])).sum().backward();
    return {
      average: [...transposed.numbers(), large.amin(0).item(), large.amax(0).item()],
      gathered: world.gather(tensor(Int32Array.of(rank, 7)).to('int64')).numbers(),
      own: world.own(tensor([0, 10, 20, 30, 40, 50])).numbers(),
      shared: shared.numbers(),
      bytes: [...world.share(rank === 0 ? Uint8Array.of(1, 2, 250) : null)],
      sum: sum.numbers(),
      gradient: x.grad.numbers(),
    };
  },

  // Gradients: of parameters in three buffers, of one that lies otherwise in memory, of one that is not reached, and of one
  // that two ways reach.
  backward() {
    const parameter = (values) => Object.assign(values, { requiresGrad: true });
    const large = parameter(ones([1_500_000]));
    const transposed = parameter(tensor([1, 2, 3, 4, 5, 6], [2, 3]).transpose(0, 1));
    const unused = parameter(ones([3]));
    const twice = parameter(ones([2]));
    const other = tensor([rank, 1], [2], 'float64');
    const weights = tensor([1, 2, 3, 4, 5, 6], [3, 2]).mul(rank + 1);
    const loss = large.mul(rank).sum().add(transposed.mul(weights).sum()).add(twice.mul(twice).sum().mul(rank));
    const parameters = [large, transposed, unused, twice, parameter(ones([1_500_000]))];
    world.backward(loss, parameters, [other]);
    const first = { large: [large.grad.amin(0).item(), large.grad.amax(0).item()], transposed: transposed.grad.numbers() };
    const result = { ...first, twice: twice.grad.numbers(), unused: unused.grad, other: other.numbers() };
    for (const each of parameters) each.clearGrad();
    twice.mul(rank).sum().backward(); // of this process alone
    return { ...result, own: twice.grad.numbers() };
  },

  // Losses of a network in double precision, where rounding has no time to grow, at a usual learning rate.
  training() {
    const [images, classes, steps] = [24, 5, 50];
    const generator = new Generator(1);
    const options = { generator, dtype: 'float64' };
    const model = {
      name: 'wide-resnet',
      depth: 10,
      width: 1,
      strides: [2, 2, 2],
      batchNormMomentum: 0.1,
      preActivation: 'full',
    };
    const encoder = createEncoder(model, { channels: 1, ...options });
    const classifier = new Linear(encoder.featureDimension, classes, options);
    if (world.sum !== null && process.env.BATCH_NORM !== 'local') synchronizeBatchNorm(encoder, world.sum);
    const parameters = new Map([...encoder.namedParameters(), ...classifier.namedParameters()]);
    const optimizer = new Sgd(parameters, { momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
    optimizer.learningRate = 0.06;
    const data = new Generator(2);
    const labels = keep(tensor(Int32Array.from({ length: images }, (_, i) => i % classes)).to('int64'));
    const losses = Array.from({ length: steps }, () =>
      tidy(() => {
        const batch = normal([images, 1, 12, 12], 0, 1, { dtype: 'float64', generator: data });
        const logits = classifier.forward(encoder.forward(world.own(batch).contiguous('channels-last')));
        // in double precision, as one-hot labels are not
        const loss = logits.logSoftmax(1).gather(1, world.own(labels).unsqueeze(1)).mean().neg();
        const total = loss.detach().clone();
        world.backward(loss, [...parameters.values()], [...runningStatistics(encoder), total]);
        optimizer.step();
        return total.item();
      }),
    );
    return { losses, statistics: runningStatistics(encoder).flatMap((values) => values.numbers()) };
  },

  // All that the next step depends on, after some steps of FeatMatch with local batch normalization on images of its own.
  learning() {
    const [labeled, unlabeled, classes] = [6, 8, 3];
    const config = resolveConfig({
      values: {
        algorithm: { name: 'featmatch', warmupSteps: 2, extractEvery: 2 },
        model: { name: 'wide-resnet', depth: 10, width: 1, strides: [2, 2, 2] },
        batch: { labeled: labeled * size, unlabeled: unlabeled * size },
        steps: 6,
      },
    });
    const noise = (count, seed) =>
      normal([count, 1, 12, 12], 0, 1, { generator: new Generator(seed) }).contiguous('channels-last');
    const views = (count, weak, strong) => ({ count, weak, strong, images: concatenate([weak, strong]) });
    const classOf = (_, i) => i % classes;
    const learning = new Learning(config, {
      classes,
      channels: 1,
      labelDistribution: Array(classes).fill(1 / classes),
      unlabeledImages: 100,
      labeledImages: () => [{ images: noise(6, 1), labels: Int32Array.from({ length: 6 }, classOf) }],
      world,
    });
    for (let step = 0; step < config.steps; step++) {
      const seed = 100 * step + 10 * rank;
      const batch = {
        labels: tensor(Int32Array.from({ length: labeled }, classOf)).to('int64'),
        labeled: views(labeled, noise(labeled, seed), noise(labeled, seed + 1)),
        unlabeled: views(unlabeled, noise(unlabeled, seed + 2), noise(unlabeled, seed + 3)),
        unlabeledIndices: arange(unlabeled),
      };
      tidy(() => learning.step(batch, step));
    }
    const hash = (tensor) => createHash('sha256').update(tensor.contiguous().data()).digest('hex');
    return { state: Object.fromEntries([...learning.state()].map(([name, value]) => [name, hash(value)])) };
  },

  // Prototypes of what each process recorded of its part.
  prototypes() {
    const [batch, classes, dimension] = [8, 2, 4];
    const random = new Generator(3);
    const memory = new PrototypeMemory({ featureDimension: dimension }, { classes, capacity: 80, exchange: world });
    const make = (shape) => normal(shape, 0, 1, { generator: random });
    const labeled = make([6, dimension]);
    for (let step = 0; step < 10; step++) {
      memory.record(world.own(make([batch, dimension])), world.own(make([batch, classes]).mul(3).softmax(1)));
    }
    const network = { training: true, train() {}, encoder: { forward: (rows) => rows } };
    const labeledImages = () => [{ images: labeled, labels: [0, 1, 0, 1, 0, 1] }];
    const context = { labeledImages, classes, generator: new Generator(4) };
    noGrad(() => memory.extract(network, context, { prototypesPerClass: 6, labeledRatio: 0.5 }));
    return { prototypes: memory.features.numbers() };
  },
};
const result = tidy(tasks[process.argv[2]]);
console.log(JSON.stringify({ rank, size, ...result }));
world.leave?.();
