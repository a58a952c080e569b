/**
 * What an algorithm is. It declares its hyper-parameters and the views it wants, builds its network, and turns a batch
 * into a loss. It never updates weights, logs, saves or reads files: that is the trainer's part.
 */
import type { z } from 'zod';
import type { Encoder } from '../models/encoder.js';
import type { Module } from '../nn/index.js';
import type { Generator, Tensor } from '../tensor/index.js';
import type { Batch, ViewCounts } from './batch.js';

/** What every algorithm trains. */
export interface EncoderNetwork extends Module {
  readonly encoder: Encoder;
}

export interface NetworkContext {
  createEncoder(): Encoder;
  readonly classes: number;
  /** source of initial weights, and of dropout while training */
  readonly generator: Generator;
}

/** Between processes that each learn from an equal part of every batch; where one learns alone, the identity. */
export interface Exchange {
  /** Rows (N, …) of this process's images → those of all images of the batch, in its order. No gradient flows through. */
  gather(rows: Tensor): Tensor;
  /** The rows of this process's images among those of all. */
  own(rows: Tensor): Tensor;
}

export interface LearnerContext<Network extends Module> {
  readonly network: Network;
  /**
   * The exponential moving average of the network's weights, in evaluation mode and without gradients; the trainer
   * moves it after every step. Null where the configuration keeps none.
   */
  readonly average: Network | null;
  /**
   * A copy of the network as it is now, in evaluation mode and without gradients, which is the learner's: it moves it,
   * and saves it as a part of its state.
   */
  createTeacher(): Network;
  readonly classes: number;
  /** p(y), each class's share of the labeled images; evenly where a model only predicts */
  readonly labelDistribution: readonly number[];
  /** What depends on more of a batch than a process has: state that outlives the step has to be the same everywhere. */
  readonly exchange: Exchange;
  /** μB, unlabeled images in a batch, of all processes together */
  readonly unlabeledBatch: number;
  /** unlabeled images in all */
  readonly unlabeledImages: number;
  /** training steps in all, for what changes with the share of training that is done */
  readonly steps: number;
  /** source of everything random in the loss */
  readonly generator: Generator;
  /** The labeled images without augmentation, normalized, in batches; to be used inside `tidy`. */
  labeledImages(): Iterable<{ images: Tensor; labels: Int32Array }>;
}

export interface StepResult {
  readonly loss: Tensor;
  /**
   * scalars to log: `loss`, its parts (`lossClf` of the labeled images, `lossCon…` of the unlabeled ones, before their
   * weights), and what tells whether training goes well
   */
  readonly metrics: Readonly<Record<string, Tensor | number>>;
  /** for people to look at; by methods that take unlabeled images for something */
  readonly pseudoLabels?: AssignedLabels;
}

/** What the unlabeled images of a batch were taken for (μB each). */
export interface AssignedLabels {
  /** the most probable class, int64 */
  readonly classes: Tensor;
  /** its probability as the network gave it, 0…1 */
  readonly confidence: Tensor;
  /** how much each counts in the loss, 0…1 */
  readonly weights: Tensor;
}

export interface Learner<Network extends Module> {
  /** The loss of one batch. @param step from 0 */
  step(batch: Batch, step: number): StepResult;
  /**
   * Class probabilities (N, classes) of images (N, C, H, W).
   * @param network in evaluation mode; the one trained, or its average
   */
  predict(network: Network, images: Tensor): Tensor;
  /** Everything beside the weights that the next step or a prediction depends on. The tensors stay the learner's. */
  state(): Map<string, Tensor>;
  /** Continues from a saved state, which is copied. @throws Error where it is not of this learner */
  load(state: ReadonlyMap<string, Tensor>): void;
}

/** How often an image goes through an encoder, all views and networks counted. */
export interface Passes {
  /** forward and backward */
  readonly learning: number;
  /** forward alone, without gradients */
  readonly guessing: number;
}

export interface Algorithm<Options, Network extends Module = Module> {
  /** for people: the method's name and where it is from */
  readonly title: string;
  /** ends with the year */
  readonly citation: string;
  /** its idea in a line */
  readonly summary: string;
  /** hyper-parameters with defaults; each description names the paper's symbol */
  readonly options: z.ZodObject;
  /** how many views of each image of a batch the loss needs */
  views(options: Options): { labeled: ViewCounts; unlabeled: ViewCounts };
  /** The cost of a step: how often it takes each labeled and each unlabeled image of its batch through an encoder. */
  passes(options: Options): { labeled: Passes; unlabeled: Passes };
  createNetwork(options: Options, context: NetworkContext): Network;
  createLearner(options: Options, context: LearnerContext<Network>): Learner<Network>;
}
