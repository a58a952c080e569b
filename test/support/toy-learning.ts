/** Any algorithm on the toy network: set up and trained as the trainer does it, in a thousandth of its time. */
import { type Module, Sgd, updateWeightAverage } from '../../src/nn/index.js';
import type { Algorithm, Batch, Learner } from '../../src/ssl/index.js';
import { Generator, noGrad, type Tensor, tidy } from '../../src/tensor/index.js';
import { ToyEncoder, toyBatch, toyContext, toyImages } from './toy.js';

export interface ToySetting {
  readonly classes?: number;
  readonly channels?: number;
  readonly batchNorm?: boolean;
  readonly labelsPerClass?: number;
  readonly learningRate?: number;
  /** training steps in all */
  readonly steps?: number;
  /** images a batch; default 4 */
  readonly unlabeled?: number;
  /** images in all; default twice as many */
  readonly unlabeledImages?: number;
  /** factor of the initial weights: greater ones make surer predictions; default 1 */
  readonly scale?: number;
  /** of the weights; each is another start */
  readonly seed?: number;
}

/** Images that went through encoders so far, with and without gradients. */
interface PassCounter {
  learning: number;
  guessing: number;
}

/** An encoder that counts the images it is given, together with its copies. */
class CountingEncoder extends ToyEncoder {
  constructor(
    private readonly counter: PassCounter,
    options: ConstructorParameters<typeof ToyEncoder>[0],
  ) {
    super(options);
  }

  override stages() {
    const [first, last] = super.stages();
    const counting = (hidden: Tensor) => {
      const features = last(hidden);
      this.counter[features.requiresGrad ? 'learning' : 'guessing'] += features.shape[0];
      return features;
    };
    return [first, counting];
  }
}

export interface ToyLearning {
  readonly network: Module;
  readonly average: Module;
  /** the networks that the learner asked for */
  readonly teachers: readonly Module[];
  readonly learner: Learner<Module>;
  readonly generators: Readonly<Record<'weights' | 'learner', Generator>>;
  readonly optimizer: Sgd;
  readonly counter: PassCounter;
  /** the batch of a step, with the views that the algorithm wants */
  batch(step: number): Batch;
  /** Makes steps, and returns the metrics of each as numbers. */
  train(from: number, to: number): Record<string, number>[];
}

/** Teachers and average keep parameters that require gradients, so that one which gets some is found out. */
export function toyLearning<Options>(
  algorithm: Algorithm<Options, Module>,
  options: Options,
  setting: ToySetting = {},
): ToyLearning {
  const { classes = 3, channels = 1, batchNorm = true, labelsPerClass = 2 } = setting;
  const { learningRate = 0.05, steps = 10, unlabeled = 4, scale = 1, seed = 1 } = setting;
  const { unlabeledImages = 2 * unlabeled } = setting;
  const counter = { learning: 0, guessing: 0 };
  function networkOf(generator: Generator): Module {
    const network = algorithm.createNetwork(options, {
      createEncoder: () => new CountingEncoder(counter, { batchNorm, channels, seed }),
      classes,
      generator,
    });
    noGrad(() => {
      for (const weights of network.parameters()) weights.mulInPlace(scale);
    });
    return network;
  }
  const generators = { weights: new Generator(seed), learner: new Generator(seed + 100) };
  const network = networkOf(generators.weights);
  const average = networkOf(new Generator(seed)).train(false);
  const teachers: Module[] = [];
  const labels = Int32Array.from({ length: classes * labelsPerClass }, (_, i) => i % classes);
  const learner = algorithm.createLearner(
    options,
    toyContext(network, {
      average,
      createTeacher() {
        const teacher = networkOf(new Generator(seed)).train(false);
        teacher.load(network.namedTensors());
        teachers.push(teacher);
        return teacher;
      },
      classes,
      unlabeledBatch: unlabeled,
      unlabeledImages,
      steps,
      generator: generators.learner,
      labeledImages: () => [{ images: toyImages(labels.length, 99, channels), labels }],
    }),
  );
  const optimizer = new Sgd(network.namedParameters(), { momentum: 0.9, nesterov: true, weightDecay: 1e-3 });
  optimizer.learningRate = learningRate;
  const views = algorithm.views(options);

  function batch(step: number): Batch {
    return toyBatch(step + 1, {
      labels: [0, 1, classes - 1],
      unlabeled,
      labeledWeakViews: views.labeled.weak,
      labeledStrongViews: views.labeled.strong,
      weakViews: views.unlabeled.weak,
      strongViews: views.unlabeled.strong,
      channels,
    });
  }

  function train(from: number, to: number): Record<string, number>[] {
    return Array.from({ length: to - from }, (_, i) =>
      tidy(() => {
        const { loss, metrics } = learner.step(batch(from + i), from + i);
        loss.backward();
        optimizer.step();
        updateWeightAverage(average, network, 0.5);
        return numbersOf(metrics);
      }),
    );
  }
  return { network, average, teachers, learner, generators, optimizer, counter, batch, train };
}

export function numbersOf(metrics: Readonly<Record<string, Tensor | number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, typeof value === 'number' ? value : value.item()]),
  );
}

/** Makes `into` continue where `from` is. */
export function copyLearning(from: ToyLearning, into: ToyLearning): void {
  const copy = (tensors: ReadonlyMap<string, Tensor>) =>
    new Map([...tensors].map(([name, value]) => [name, value.detach().clone()] as const));
  tidy(() => {
    into.network.load(copy(from.network.namedTensors()));
    into.average.load(copy(from.average.namedTensors()));
    into.optimizer.load(copy(from.optimizer.state()));
    into.learner.load(copy(from.learner.state()));
  });
  into.generators.weights.state = from.generators.weights.state;
  into.generators.learner.state = from.generators.learner.state;
}
