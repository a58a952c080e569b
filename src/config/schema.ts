/**
 * Every setting of a run: its name, type, range, default and meaning stand here once, and an algorithm's beside its
 * equations. Types, command-line help, documentation and the errors for wrong values derive from it.
 */
import { z } from 'zod';
import { datasetNames, OWN_IMAGES } from '../data/catalog/names.js';
import { operationNames } from '../image/rand-augment.js';
import { algorithms } from '../ssl/index.js';

type Algorithms = typeof algorithms;
export type AlgorithmName = keyof Algorithms;

type OptionsOf<Algorithm> = Algorithm extends { views(options: infer Options): unknown } ? Options : never;

/** The settings of one algorithm: its options, and its name to tell which they are. */
export type AlgorithmConfig<Name extends AlgorithmName = AlgorithmName> = {
  [N in Name]: { name: N } & OptionsOf<Algorithms[N]>;
}[Name];

const [firstAlgorithm, ...otherAlgorithms] = Object.entries(algorithms).map(([name, { options }]) =>
  z.strictObject({ name: z.literal(name).describe('name of the algorithm'), ...options.shape }),
);
/** Zod cannot follow the types through the table; {@link AlgorithmConfig} says what comes out. */
const algorithmSchema = z.discriminatedUnion('name', [
  firstAlgorithm,
  ...otherAlgorithms,
]) as unknown as z.ZodType<AlgorithmConfig, { name: AlgorithmName }>;

/**
 * What is meant where no layer of a configuration names one. Settings of an algorithm or a model may be changed without
 * repeating its name.
 */
export const DEFAULT_NAMES = { algorithm: 'featmatch', model: 'wide-resnet' } as const;

const count = () => z.int().nonnegative();
const positiveCount = () => z.int().positive();
const fraction = () => z.number().min(0).max(1);

const dataSchema = z.strictObject({
  name: z
    .enum([...datasetNames, OWN_IMAGES])
    .default('mnist')
    .describe('data set; "featmatch data list" explains them; folder = your own images'),
  folder: z
    .string()
    .min(1)
    .optional()
    .describe(
      "folder with the data set's files, otherwise where set-up puts them; your own images: their folder or list",
    ),
  side: z
    .int()
    .min(8)
    .max(512)
    .nullable()
    .default(null)
    .describe(
      'image files: side in pixels that they are brought to; null = the usual one, 32 or 64 for your own',
    ),
  labels: positiveCount()
    .nullable()
    .default(40)
    .describe('labeled images in all, equally many of each class; null = all whose class is known'),
  labelsPerClass: positiveCount()
    .nullable()
    .default(null)
    .describe('labeled images of each class, instead of data.labels'),
  labelShare: fraction()
    .nullable()
    .default(null)
    .describe("share of each class's images that is labeled, at least one, instead of data.labels"),
  validation: count()
    .default(0)
    .describe(
      'labeled images held out of training to choose settings by, equally many of each class; 0 = none',
    ),
  validationShare: fraction()
    .nullable()
    .default(null)
    .describe("share of each class's images held out of training, instead of data.validation"),
  target: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('data of several domains: the domain that is learned and tested; null = the usual one'),
  sources: z
    .array(z.string().min(1))
    .nullable()
    .default(null)
    .describe('data of several domains: the other domains that give unlabeled images; null = the usual ones'),
  sourceRatio: fraction()
    .default(0)
    .describe("share of the source domains' images in unlabeled batches, r_u"),
  normalization: z
    .enum(['standard', 'zca'])
    .default('standard')
    .describe(
      'what is done to pixels, fitted to the labeled and unlabeled training images: mean 0 and standard deviation 1 of ' +
        'each channel; or ZCA whitening, for images of up to 8192 values that use all of them',
    ),
  workers: count().default(1).describe('threads that make views; 0 = the training thread itself'),
});

const viewsSchema = z.strictObject({
  flip: z.boolean().default(false).describe('flip views horizontally; not for digits and letters'),
  cropPadding: count()
    .nullable()
    .default(null)
    .describe(
      'weak view: zeros around the image, in pixels, before a random crop; null = a sixteenth of the side',
    ),
  operations: count().default(2).describe('strong view: operations of RandAugment, N'),
  magnitude: count().max(9).default(9).describe('strong view: largest magnitude of an operation, M'),
  exclude: z
    .array(z.enum(operationNames))
    .default([])
    .describe('strong view: operations of RandAugment that are never drawn'),
  weakFirst: z
    .boolean()
    .default(true)
    .describe('strong view: start from a weak view instead of the image itself'),
  cutout: fraction()
    .default(0)
    .describe(
      'strong view: side of a gray square painted over it, as a fraction of the shorter side; 0 = none',
    ),
});

const batchNormMomentum = () =>
  fraction()
    .default(0.1)
    .describe('share of a new batch in the running mean and variance of batch normalization');

const wideResNetSchema = z.strictObject({
  name: z.literal('wide-resnet').describe('name of the network'),
  depth: z
    .int()
    .min(10)
    .refine((depth) => depth % 6 === 4, 'expected 6n + 4, such as 10, 16 or 28')
    .default(10)
    .describe('convolutions along the longest way through the network, 6n + 4 for n blocks in each group'),
  width: positiveCount().default(2).describe('multiple of the channel counts 16, 32 and 64'),
  strides: z
    .tuple([positiveCount(), positiveCount(), positiveCount()])
    .default([1, 2, 2])
    .describe('strides of the three groups; [2, 2, 2] halves the maps once more, for less time an image'),
  batchNormMomentum: batchNormMomentum(),
  preActivation: z
    .enum(['full', 'first-only'])
    .default('full')
    .describe(
      'what a block that changes the width sees: its normalized and rectified input, or that in the first such block ' +
        'only and the raw input in the others, as in the published code',
    ),
});

const cnn13Schema = z.strictObject({
  name: z.literal('cnn-13').describe('name of the network'),
  batchNormMomentum: batchNormMomentum(),
});

const resNet18Schema = z.strictObject({
  name: z.literal('resnet-18').describe('name of the network'),
  batchNormMomentum: batchNormMomentum(),
  weights: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "safetensors file with torchvision's names whose weights the network begins with, without its classifier; null = " +
        'at random',
    ),
});

const batchSchema = z.strictObject({
  labeled: positiveCount().default(16).describe('labeled images a step, B'),
  unlabeled: positiveCount().default(48).describe('unlabeled images a step, μB'),
});

const cycleSchema = z.strictObject({
  pretrainSteps: count().default(3000).describe('schedule cycle: steps from η/100 to η/10'),
  cycleSteps: count()
    .default(75_000)
    .describe('schedule cycle: steps from η/10 to η, and again back to η/10'),
  endSteps: count()
    .default(30_000)
    .describe(
      'schedule cycle: steps from η/10 to η/10,000, where it stays; a run that ends before cuts it off',
    ),
});

const optimizerSchema = z.strictObject({
  learningRate: z.number().positive().default(0.06).describe('greatest learning rate, η'),
  momentum: fraction().default(0.9).describe('momentum of stochastic gradient descent, β'),
  nesterov: z.boolean().default(true).describe('look ahead along the momentum (Nesterov)'),
  weightDecay: z.number().nonnegative().default(5e-4).describe('weight decay, on all parameters'),
  schedule: z
    .enum(['constant', 'cosine', 'linear', 'cycle'])
    .default('cosine')
    .describe(
      'learning rate after t of T steps: η, or η·cos(7πt/16T), or η·(1 − t/T), or the four straight lines of ' +
        'optimizer.cycle, as in the published code',
    ),
  cycle: cycleSchema.prefault({}).describe('lengths of the parts of the schedule cycle'),
  warmupSteps: count().default(0).describe('steps over which the learning rate rises linearly from 0'),
});

const emaSchema = z.strictObject({
  decay: z
    .number()
    .min(0)
    .lt(1)
    .default(0.99)
    .describe(
      'decay α of the exponential moving average of the weights that is evaluated; 0 = the weights themselves',
    ),
});

const evaluationSchema = z.strictObject({
  protocol: z
    .enum(['last', 'median', 'best-on-validation'])
    .default('last')
    .describe(
      'accuracy that is reported: of the last weights, where test images are looked at once at the end, and with ' +
        'validation images not at all; the median over the last evaluations, which look at test images on the way, as ' +
        'in the published code; or of the weights that are best on validation images',
    ),
  every: count()
    .default(1000)
    .describe(
      'steps between evaluations on the way, of validation images and, for the median, of test images; 0 = none',
    ),
  window: positiveCount().default(10).describe('median: over how many of the last evaluations'),
});

const distributedSchema = z.strictObject({
  batchNorm: z
    .enum(['local', 'synchronized'])
    .default('local')
    .describe(
      'several processes: batch normalization by the images of each process, or by those of all, which makes them compute ' +
        'what one process would',
    ),
  timeout: z
    .number()
    .min(1)
    .max(1e6)
    .default(300)
    .describe('several processes: seconds after which one that does not answer ends all'),
});

export const configSchema = z.strictObject({
  seed: count()
    .max(2 ** 32 - 1)
    .default(0)
    .describe('what everything random derives from: split, initial weights, views, order of the images'),
  algorithm: algorithmSchema
    .prefault({ name: DEFAULT_NAMES.algorithm })
    .describe('what is learned from labeled and unlabeled images'),
  data: dataSchema.prefault({}).describe('images, and how many of their labels may be used'),
  views: viewsSchema.prefault({}).describe('random changes of an image that keep its class'),
  model: z
    .discriminatedUnion('name', [wideResNetSchema, cnn13Schema, resNet18Schema])
    .prefault({ name: DEFAULT_NAMES.model })
    .describe('network from image to features'),
  batch: batchSchema.prefault({}).describe('images a step, of all processes together'),
  optimizer: optimizerSchema.prefault({}).describe('stochastic gradient descent'),
  ema: emaSchema.prefault({}).describe('average of the weights over time'),
  steps: positiveCount().default(3000).describe('training steps in all'),
  evaluation: evaluationSchema
    .prefault({})
    .describe('when accuracy is measured, on which images, and what is reported'),
  saveEvery: count().default(1000).describe('steps between checkpoints; 0 = only at the end'),
  keepCheckpoints: positiveCount()
    .nullable()
    .default(2)
    .describe(
      'how many of the last checkpoints are kept, so that an earlier one can stand in for a damaged one; with them stays ' +
        'that of the best weights where they are reported; null = all',
    ),
  logEvery: positiveCount().default(25).describe('steps between lines of metrics'),
  predictUnlabeled: z
    .boolean()
    .default(true)
    .describe('label every unlabeled image at the end, in predictions.csv'),
  tensorboard: z
    .boolean()
    .default(false)
    .describe(
      "also write what TensorBoard reads, into the run's folder tensorboard: metrics, confidence, views, confusion matrices, features",
    ),
  threads: positiveCount()
    .nullable()
    .default(null)
    .describe(
      'threads that compute, of each process; null = one per processor core, shared by the processes of a host',
    ),
  distributed: distributedSchema.prefault({}).describe('how several processes train together'),
  convolution: z
    .enum(['winograd', 'direct'])
    .default('winograd')
    .describe(
      "3×3 convolutions: Winograd's minimal filtering, fast, rounding to about 5e-6; or libtorch's own, to about 1e-7",
    ),
  device: z
    .string()
    .regex(/^(cpu|cuda(:\d{1,2})?)$/, 'expected cpu, cuda or cuda:<index>')
    .default('cpu')
    .describe(
      'where to compute: cpu, cuda (the first GPU; of several processes on a host each its own), or cuda:<index>; GPUs are not tested',
    ),
  precision: z
    .enum(['float32', 'bfloat16'])
    .default('float32')
    .describe('numbers that compute: bfloat16 is mixed precision, on GPUs alone; not tested'),
});

/** All settings of a run, every default filled in. */
export type Config = z.output<typeof configSchema>;

/** Some of the settings: what a preset, a file or a caller changes. */
export type PartialConfig = DeepPartial<Config>;

type DeepPartial<T> = T extends readonly unknown[] | null
  ? T
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> }
    : T;
