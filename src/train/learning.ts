/** Everything that learns, put together from a configuration: the network, its average, the algorithm, the optimizer. */
import type { Config } from '../config/index.js';
import type { ImageSet } from '../data/dataset.js';
import { randomStream } from '../image/random.js';
import { createEncoder, type Encoder } from '../models/index.js';
import { runningStatistics, Sgd, synchronizeBatchNorm, updateWeightAverage } from '../nn/index.js';
import { type Algorithm, algorithmOf, type Batch, type EncoderNetwork, type Learner } from '../ssl/index.js';
import { concatenate, Generator, noGrad, profiled, type Tensor, tensor, tidy } from '../tensor/index.js';
import { alone, type World } from './distributed/world.js';
import { learningRateAt } from './schedule.js';

/** What distinguishes the engine's streams of random numbers. Part of what a seed means. */
const STREAMS = { weights: 1, learner: 2 } as const;
const DROPOUT_OF_PROCESSES = 3;

export interface LearningContext {
  readonly classes: number;
  readonly channels: ImageSet['channels'];
  /** see LearnerContext */
  readonly labelDistribution: readonly number[];
  readonly unlabeledImages: number;
  /** see LearnerContext; a model that only predicts has none */
  labeledImages(): Iterable<{ images: Tensor; labels: Int32Array }>;
  /** default: one process alone */
  readonly world?: World;
  /** gives a new encoder other weights than those drawn at random */
  initializeEncoder?(encoder: Encoder): void;
}

/** What is told of a step. */
export interface StepNumbers {
  readonly metrics: Record<string, number>;
  /** of the unlabeled images of the batch; see AssignedLabels */
  readonly pseudoLabels?: {
    readonly classes: Int32Array;
    readonly confidence: Float32Array;
    readonly weights: Float32Array;
  };
  /** whether one of the processes wants to stop */
  readonly isToStop: boolean;
}

export class Learning {
  readonly network: EncoderNetwork;
  /** The moving average of the network's weights, or null. */
  readonly average: EncoderNetwork | null;
  readonly algorithm: Algorithm<unknown, EncoderNetwork>;
  readonly learner: Learner<EncoderNetwork>;
  private readonly optimizer: Sgd;
  private readonly world: World;
  private readonly generators: Record<keyof typeof STREAMS, Generator>;

  constructor(
    readonly config: Config,
    context: LearningContext,
  ) {
    const { algorithm: options, model, ema, optimizer, seed, distributed } = config;
    const { world = alone } = context;
    this.world = world;
    const stream = (name: keyof typeof STREAMS) => new Generator(seed * 2 ** 8 + STREAMS[name]);
    this.generators = { weights: stream('weights'), learner: stream('learner') };
    this.algorithm = algorithmOf(options);
    const networkOf = (generator: Generator) =>
      this.algorithm.createNetwork(options, {
        classes: context.classes,
        generator,
        createEncoder: () => createEncoder(model, { channels: context.channels, generator }),
      });
    this.network = networkOf(this.generators.weights);
    context.initializeEncoder?.(this.network.encoder);
    if (world.sum !== null && distributed.batchNorm === 'synchronized')
      synchronizeBatchNorm(this.network, world.sum);
    const copyOfNetwork = () => {
      const copy = networkOf(stream('weights')).train(false);
      copy.load(this.network.namedTensors());
      for (const parameter of copy.parameters()) parameter.requiresGrad = false;
      return copy;
    };
    this.average = ema.decay === 0 ? null : copyOfNetwork();
    this.learner = this.algorithm.createLearner(options, {
      network: this.network,
      average: this.average,
      createTeacher: copyOfNetwork,
      exchange: world,
      classes: context.classes,
      labelDistribution: context.labelDistribution,
      unlabeledBatch: config.batch.unlabeled,
      unlabeledImages: context.unlabeledImages,
      steps: config.steps,
      generator: this.generators.learner,
      labeledImages: context.labeledImages,
    });
    this.optimizer = new Sgd(this.network.namedParameters(), optimizer);
  }

  /** What is evaluated and kept: the average where there is one. */
  get evaluated(): EncoderNetwork {
    return this.average ?? this.network;
  }

  /** One step of training. @param step from 0 @param wantsToStop whether this process does, after this step */
  step(batch: Batch, step: number, wantsToStop = false): StepNumbers {
    return this.world.guard(() =>
      tidy(() => {
        this.drawOwnDropout(step);
        const result = profiled('loss', () => this.learner.step(batch, step));
        const { loss, pseudoLabels } = result;
        const { metrics, isToStop } = profiled('backward', () =>
          this.backward(loss, result.metrics, wantsToStop),
        );
        profiled('update', () => this.update(step));
        return {
          metrics,
          isToStop,
          pseudoLabels: pseudoLabels && {
            classes: pseudoLabels.classes.to('int32').data() as Int32Array,
            confidence: pseudoLabels.confidence.data() as Float32Array,
            weights: pseudoLabels.weights.data() as Float32Array,
          },
        };
      }),
    );
  }

  private update(step: number): void {
    this.optimizer.learningRate = learningRateAt(step, this.config);
    this.optimizer.step();
    if (this.average !== null) {
      // Tarvainen and Valpola 2017: a shorter memory while the weights still change fast
      updateWeightAverage(this.average, this.network, Math.min(this.config.ema.decay, 1 - 1 / (step + 2)));
    }
  }

  /** Each process drops other connections; which ones follows from the step, so that any number can go on. */
  private drawOwnDropout(step: number): void {
    const { rank, size } = this.world;
    if (size === 1) return;
    const random = randomStream(this.config.seed, DROPOUT_OF_PROCESSES, step, rank);
    this.generators.weights.state = new Generator(random.integer(2 ** 32)).state;
  }

  /**
   * Gradients; they, running statistics and metrics become their means over all processes, and in the same exchange all
   * hear whether one of them wants to stop.
   */
  private backward(loss: Tensor, metrics: Metrics, wantsToStop: boolean): Omit<StepNumbers, 'pseudoLabels'> {
    if (this.world.size === 1) {
      loss.backward();
      return { metrics: numbersOf(metrics), isToStop: wantsToStop };
    }
    const names = Object.keys(metrics);
    const means = vectorOf([...Object.values(metrics), Number(wantsToStop)]);
    this.world.backward(loss, this.network.parameters(), [...runningStatistics(this.network), means]);
    const numbers = means.numbers();
    return {
      metrics: Object.fromEntries(names.map((name, i) => [name, numbers[i]])),
      isToStop: numbers[names.length] > 0,
    };
  }

  /** Class probabilities (N, classes) of images (N, C, H, W). */
  predict(images: Tensor): Tensor {
    return this.evaluating((network) => this.learner.predict(network, images));
  }

  /** Features (N, f_dim) of images (N, C, H, W), before AugF. */
  features(images: Tensor): Tensor {
    return this.evaluating(({ encoder }) => encoder.forward(images).to('float32'));
  }

  /** Those of FeatMatch (P, f_dim), and the class of each (P); null where there are none. To be used inside `tidy`. */
  prototypes(): { features: Tensor; labels: Int32Array } | null {
    const state = this.learner.state();
    const features = state.get('prototypes');
    const labels = state.get('prototypeLabels');
    if (features === undefined || labels === undefined || features.shape[0] === 0) return null;
    return { features, labels: labels.data() as Int32Array };
  }

  private evaluating(compute: (network: EncoderNetwork) => Tensor): Tensor {
    const network = this.evaluated;
    network.train(false);
    try {
      return noGrad(() => compute(network));
    } finally {
      if (network === this.network) network.train(true);
    }
  }

  /** All that the next step depends on, by name. To be used inside `tidy`; the tensors stay theirs who have them. */
  state(): Map<string, Tensor> {
    const parts: [string, ReadonlyMap<string, Tensor>][] = [
      ['network', this.network.namedTensors()],
      ['average', this.average?.namedTensors() ?? new Map()],
      ['learner', this.learner.state()],
      ['optimizer', this.optimizer.state()],
      [
        'generator',
        new Map(Object.entries(this.generators).map(([name, { state }]) => [name, tensor(state)])),
      ],
    ];
    return new Map(
      parts.flatMap(([part, tensors]) =>
        [...tensors].map(([name, value]) => [`${part}.${name}`, value] as const),
      ),
    );
  }

  /** Continues from a saved state, which is copied. @throws Error where it belongs to another configuration */
  load(state: ReadonlyMap<string, Tensor>): void {
    const part = (name: string) =>
      new Map(
        [...state]
          .filter(([key]) => key.startsWith(`${name}.`))
          .map(([key, value]) => [key.slice(name.length + 1), value]),
      );
    this.network.load(part('network'));
    this.average?.load(part('average'));
    this.learner.load(part('learner'));
    this.optimizer.load(part('optimizer'));
    for (const [name, saved] of part('generator')) {
      const generator = this.generators[name as keyof typeof STREAMS];
      if (generator !== undefined) generator.state = saved.data() as Uint8Array;
    }
  }
}

type Metrics = Readonly<Record<string, Tensor | number>>;

function numbersOf(metrics: Metrics): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, typeof value === 'number' ? value : value.item()]),
  );
}

/** Single numbers as one tensor (N), in single precision. */
function vectorOf(values: readonly (Tensor | number)[]): Tensor {
  return concatenate(
    values.map((value) =>
      typeof value === 'number' ? tensor([value]) : value.detach().to('float32').reshape(1),
    ),
  );
}
