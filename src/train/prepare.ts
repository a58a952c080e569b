/** From a configuration to what a run works on: images, which of them are labeled, how their pixels are normalized. */
import type { Config } from '../config/index.js';
import {
  allIndices,
  type DatasetParts,
  gatherPixels,
  type ImageDataset,
  type ImageSet,
  pixelsOf,
  spread,
} from '../data/dataset.js';
import { createLoader, type Loader, type LoaderOptions } from '../data/loader.js';
import { type Amount, type Split, splitDataset } from '../data/split.js';
import { InputError } from '../errors.js';
import { defaultViewOptions, type ViewOptions } from '../image/views.js';
import { contentHash, type SplitRecord } from '../runs/index.js';
import { algorithmOf } from '../ssl/index.js';
import type { Tensor } from '../tensor/index.js';
import { alone, type World } from './distributed/world.js';
import { type Normalization, normalizations, toImages } from './pixels.js';
import { checkProtocol } from './protocol.js';

/** The data of a run. Labels of unlabeled images are in `data` alone, which only the evaluation reads. */
export interface Experiment {
  readonly config: Config;
  readonly data: DatasetParts;
  readonly split: Split;
  readonly normalization: Normalization;
  /** the processes that work on it together */
  readonly world: World;
}

/**
 * @throws InputError where the data set has not the images that the configuration asks for, it asks for none, or its
 *   evaluation protocol cannot be followed
 */
export function prepareExperiment(config: Config, data: DatasetParts, world: World = alone): Experiment {
  const { train } = data;
  const { labeled, validation } = amounts(config, train);
  const { weak, strong } = algorithmOf(config.algorithm).views(config.algorithm).labeled;
  if (weak + strong === 0) {
    throw new InputError(
      'there is no view of the labeled images to learn from: set algorithm.labeledStrongViews or ' +
        'algorithm.labeledWeakViews to 1 or more',
    );
  }
  if (validation !== 0 && data.validation !== null) {
    throw new InputError(
      `validation images are to be held out, but ${train.name} brings ${data.validation.count} validation images of its own: leave data.validation and data.validationShare out`,
    );
  }
  checkShares(config, world);
  // Labels of other domains than the target are hidden from the split: labeled and validation images are the target's.
  const split = splitDataset(
    train.labels.map((label, image) => (isOfTarget(train, image) ? label : -1)),
    {
      labeled,
      validation,
      classes: train.classes,
      seed: config.seed,
    },
  );
  checkProtocol(config.evaluation, {
    validation: split.validation.length + (data.validation?.count ?? 0),
    test: data.test?.count ?? 0,
  });
  const trained = Int32Array.from([...split.labeled, ...split.unlabeled]);
  const missing = labelDistribution({ data, split }).indexOf(0);
  if (missing >= 0) {
    throw new InputError(
      `class ${train.classes[missing]} has no labeled image to learn from: ${split.labeled.length} images are labeled, and at least one ` +
        `for each of the ${train.classes.length} classes is needed`,
    );
  }
  const normalization = normalizations[config.data.normalization](train, trained);
  return { config, data, split, normalization, world };
}

/** Images of a step, of all processes together. */
function batchOf({ algorithm, batch }: Config): { labeled: number; unlabeled: number } {
  const { weak, strong } = algorithmOf(algorithm).views(algorithm).unlabeled;
  return { labeled: batch.labeled, unlabeled: weak + strong > 0 ? batch.unlabeled : 0 };
}

/** @throws InputError where the processes would not have equally many images of a batch */
function checkShares(config: Config, { size }: World): void {
  for (const [kind, count] of Object.entries(batchOf(config))) {
    if (count % size === 0) continue;
    throw new InputError(
      `${count} ${kind} images a batch cannot be shared evenly among ${size} processes: set batch.${kind} to a multiple of ${size}`,
    );
  }
}

/** How many images are labeled and held out, of the settings that say it. @throws InputError if two of them do */
function amounts(
  { data }: Config,
  { classes }: ImageDataset,
): { labeled: Amount | null; validation: Amount } {
  const { labels, labelsPerClass, labelShare, validation, validationShare } = data;
  if (labelsPerClass !== null && labelShare !== null) {
    throw new InputError(
      'data.labelsPerClass and data.labelShare both say how many images are labeled: set one',
    );
  }
  if (validation > 0 && validationShare !== null) {
    throw new InputError(
      'data.validation and data.validationShare both say how many images are held out: set one',
    );
  }
  const labeled = labelsPerClass === null ? labels : labelsPerClass * classes.length;
  return {
    labeled: labelShare === null ? labeled : { share: labelShare },
    validation: validationShare === null ? validation : { share: validationShare },
  };
}

function isOfTarget({ domains }: ImageDataset, image: number): boolean {
  return domains === undefined || domains.of[image] === 0;
}

/** Each class's share of the labeled images. */
export function labelDistribution({ data: { train }, split }: Pick<Experiment, 'data' | 'split'>): number[] {
  const counts = train.classes.map(() => 0);
  for (const index of split.labeled) counts[train.labels[index]]++;
  return counts.map((count) => count / split.labeled.length);
}

/** The stream of training batches from a step on. */
export function createTrainingLoader(
  { config, data, split, world }: Experiment,
  startStep: number,
  onBatchMade?: LoaderOptions['onBatchMade'],
): Loader {
  const views = algorithmOf(config.algorithm).views(config.algorithm);
  const batch = batchOf(config);
  return createLoader({
    dataset: data.train,
    labeled: split.labeled,
    labels: split.labeled.map((index) => data.train.labels[index]),
    unlabeled: split.unlabeled.filter((image) => isOfTarget(data.train, image)),
    source: data.train.domains && {
      images: split.unlabeled.filter((image) => !isOfTarget(data.train, image)),
      ratio: config.data.sourceRatio,
    },
    labeledBatch: batch.labeled,
    unlabeledBatch: batch.unlabeled,
    labeledViews: views.labeled,
    unlabeledViews: views.unlabeled,
    views: viewOptions(config, data.train),
    seed: config.seed,
    workers: config.data.workers,
    startStep,
    onBatchMade,
    share: { index: world.rank, count: world.size },
  });
}

function viewOptions({ views }: Config, images: ImageSet): ViewOptions {
  const { flip, cropPadding, operations, magnitude, exclude, weakFirst, cutout } = views;
  return {
    flip,
    cropPadding: cropPadding ?? defaultViewOptions(images).cropPadding,
    strong: { operations, magnitude, exclude, weakFirst, cutout },
  };
}

/** The labeled images as they are, in batches; to be used inside `tidy`. */
export function* labeledImages({
  data,
  split,
  normalization,
}: Experiment): Generator<{ images: Tensor; labels: Int32Array }> {
  const { train } = data;
  for (let start = 0; start < split.labeled.length; start += 256) {
    const indices = split.labeled.subarray(start, start + 256);
    yield {
      images: toImages(gatherPixels(train, indices), train, normalization),
      labels: indices.map((index) => train.labels[index]),
    };
  }
}

/** Which images the run was told the labels of, and the content of all images, for the run folder. */
export function recordSplit({ data, split }: Experiment): SplitRecord {
  const { train, validation, test, leftOut = [] } = data;
  const own = validation === null ? [] : pixelsAndLabels(validation, allIndices(validation));
  return {
    dataset: train.name,
    labeled: [...split.labeled],
    labeledHash: contentHash(pixelsAndLabels(train, split.labeled)),
    validation: [...split.validation],
    validationHash: contentHash([...pixelsAndLabels(train, split.validation), ...own]),
    unlabeledImages: split.unlabeled.length,
    unlabeledHash: contentHash(pixels(train, spread(split.unlabeled, MOST_HASHED))),
    testImages: test?.count ?? 0,
    testHash: contentHash(test === null ? [] : pixelsAndLabels(test, spread(allIndices(test), MOST_HASHED))),
    leftOut: [...leftOut],
  };
}

/** At most this many are hashed where there may be hundreds of thousands, in files: that takes a second. */
const MOST_HASHED = 20_000;

function* pixels(dataset: ImageDataset, indices: Int32Array): Generator<Uint8Array> {
  for (const index of indices) yield pixelsOf(dataset, index);
}

function* pixelsAndLabels(dataset: ImageDataset, indices: Int32Array): Generator<Uint8Array> {
  for (const index of indices) {
    yield pixelsOf(dataset, index);
    yield new Uint8Array(Int32Array.of(dataset.labels[index]).buffer);
  }
}
