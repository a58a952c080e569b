/**
 * Exports a trained model as two files: `model.onnx`, which computes class probabilities of pixels, and `model.json`,
 * which says what they mean. The graph is compared with the engine before anything is written.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetParts } from '../data/dataset.js';
import { InputError } from '../errors.js';
import { FILES, MANIFEST_FORMAT, type Manifest } from '../infer/manifest.js';
import { openSession } from '../infer/node/session.js';
import type { Session } from '../infer/session.js';
import {
  packageVersion,
  type SplitRecord,
  type StoredRun,
  writeFileAtomically,
  writeJsonAtomically,
} from '../runs/index.js';
import { tidy } from '../tensor/index.js';
import type { loadModel } from '../train/index.js';
import { outputOf } from './batches.js';
import { fitTemperature, quantile } from './calibration.js';
import { accuracyOf, compareWithEngine } from './check.js';
import type { Weight } from './graph.js';
import { chooseImages, type ImageChoice, type Images } from './image-choice.js';
import { buildInferenceGraph } from './inference-graph.js';
import { nearestImages } from './nearest.js';
import { encodeModel, type Precision } from './onnx.js';
import { packThumbnails } from './thumbnails.js';
import { trainedNetwork } from './trained-network.js';

/** What an export is made from. */
export interface ExportSource {
  readonly run: StoredRun;
  readonly split: SplitRecord;
  readonly model: ReturnType<typeof loadModel>;
  /** the images that the run was made with */
  readonly data: DatasetParts;
}

export interface ExportOptions {
  /** a folder, made where it is missing */
  readonly output: string;
  readonly precision: Precision;
  /** whether model.json shows the training images that prototypes are nearest to */
  readonly thumbnails: boolean;
  /** whether an export that is there already may be replaced */
  readonly overwrite: boolean;
  /** how many of the training images were compared with prototypes */
  onProgress?(done: number, total: number): void;
}

export interface ExportReport {
  readonly manifest: Manifest;
  /** shares of images classified right, `float32` before weights were rounded; null without validation and test images */
  readonly accuracy: {
    readonly of: 'validation' | 'test';
    readonly images: number;
    readonly float32: number;
    readonly exported: number;
  } | null;
}

/** An image is out of domain where it is farther from the training images than all but this share of the domain's. */
const FALSE_ALARMS = 0.05;

/**
 * @throws {InputError} where there is an export already, or one cannot be written
 * @throws {Error} where the graph computes something else than the engine
 */
export async function exportModel(source: ExportSource, options: ExportOptions): Promise<ExportReport> {
  const { data, model, run } = source;
  const { output, precision, overwrite } = options;
  const paths = { graph: join(output, FILES.graph), manifest: join(output, FILES.manifest) };
  if (!overwrite && Object.values(paths).some((path) => existsSync(path))) {
    throw new InputError(`${output} holds a model already; choose another --output, or add --overwrite`);
  }
  const chosen = chooseImages(data, source.split, run.record.seed);
  const network = trainedNetwork(model);
  const sessionOptions = { input: network.size, threads: model.description.config.threads ?? undefined };
  const encode = (graph: ReturnType<typeof buildInferenceGraph>, as: Precision) =>
    encodeModel(graph, { precision: as, version: packageVersion() });

  const features = await openSession(encode(buildInferenceGraph(network), 'float32'), sessionOptions);
  const graph = buildInferenceGraph(network, {
    references: await outputOf(features, 'features', chosen.references),
  });
  const prototypes =
    network.augmentation &&
    (await describePrototypes(features, source, {
      prototypes: network.augmentation.prototypes,
      images: chosen.shown,
      options,
    }));
  await features.close();

  const full = await openSession(encode(graph, 'float32'), sessionOptions);
  const largestDifference = await compareWithEngine(full, model, chosen.check);
  const file = encode(graph, precision);
  const exported = precision === 'float32' ? full : await openSession(file, sessionOptions);
  const evaluated = chosen.validation ?? chosen.test;
  const accuracy = evaluated && {
    of: chosen.validation === null ? ('test' as const) : ('validation' as const),
    images: evaluated.indices.length,
    float32: await accuracyOf(full, evaluated),
    exported: await accuracyOf(exported, evaluated),
  };
  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    classes: [...data.train.classes],
    input: { ...network.size, channels: network.size.channels as 1 | 3 },
    resize: { kernel: 'lanczos3', fit: 'cover', position: 'centre' },
    model: {
      bytes: file.byteLength,
      sha256: createHash('sha256').update(file).digest('hex'),
      precision,
    },
    ...(await calibrate(exported, chosen)),
    prototypes,
    provenance: describeProvenance(source, { images: chosen.check.indices.length, largestDifference }),
  };
  for (const session of new Set([full, exported])) await session.close();
  writeFileAtomically(paths.graph, file);
  writeJsonAtomically(paths.manifest, manifest); // last: it tells what the other has to be
  return { manifest, accuracy };
}

/** Temperature and threshold of a graph, from images that training did not learn from where there are any. */
async function calibrate(
  session: Session,
  { validation, domain }: ImageChoice,
): Promise<Pick<Manifest, 'calibration' | 'outOfDomain'>> {
  const similarities = await outputOf(session, 'similarity', domain);
  return {
    calibration: validation && {
      temperature: fitTemperature(
        await outputOf(session, 'probabilities', validation),
        validation.indices.map((index) => validation.images.labels[index]),
      ),
      images: validation.indices.length,
    },
    outOfDomain: {
      threshold: quantile(
        similarities.map(([similarity]) => similarity),
        FALSE_ALARMS,
      ),
      share: FALSE_ALARMS,
      images: domain.indices.length,
      of: validation === null ? 'training' : 'validation',
    },
  };
}

async function describePrototypes(
  session: Session,
  { model, data }: ExportSource,
  { images, prototypes, options }: { images: Images; prototypes: Weight; options: ExportOptions },
): Promise<NonNullable<Manifest['prototypes']>> {
  const labels = tidy(() => model.learning.learner.state().get('prototypeLabels')?.data() as Int32Array);
  const nearest = await nearestImages(session, prototypes, {
    ...images,
    onProgress: (done) => options.onProgress?.(done, images.indices.length),
  });
  const shown = [...new Set(nearest.map(({ image }) => image))].sort((a, b) => a - b);
  return {
    entries: nearest.map(({ image, similarity }, i) => ({
      label: labels[i],
      image,
      similarity,
      thumbnail: options.thumbnails ? shown.indexOf(image) : null,
    })),
    thumbnails: options.thumbnails ? await packThumbnails(data.train, shown) : null,
  };
}

function describeProvenance(
  { run: { name, record }, model: { description } }: ExportSource,
  check: Manifest['provenance']['check'],
): Manifest['provenance'] {
  const { config, step } = description;
  return {
    featmatch: packageVersion(),
    commit: record.versions.commit,
    run: name,
    algorithm: config.algorithm.name,
    encoder: config.model.name,
    data: config.data.name,
    labels: config.data.labels,
    seed: record.seed,
    step,
    exportedAt: new Date().toISOString(),
    testAccuracy: record.results?.testAccuracy ?? null,
    validationAccuracy: record.results?.validationAccuracy ?? null,
    check,
  };
}
