/** The same model in Node and in a browser: decoded images in, labels out. What differs is given to it. */
import { InputError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import { fitPixels, isPixels, joinPixels } from './fit.js';
import type { Manifest } from './manifest.js';
import { mapSome } from './map-some.js';
import { batchSize, type OutputName, type Outputs, type Session } from './session.js';

export interface ClassifyOptions {
  /** how many of the most probable classes are told; default 1 */
  readonly top?: number;
}

export interface ClassProbability {
  readonly label: string;
  /** 0…1; calibrated where the model is */
  readonly probability: number;
}

export interface Classification {
  /** the most probable class */
  readonly label: string;
  /** its probability */
  readonly confidence: number;
  /** whether the image is unlike those that the model was trained on, so that the label says little */
  readonly outOfDomain: boolean;
  /** −1…1: the cosine of its features and those of the training image that is most like it */
  readonly similarity: number;
  /** the most probable classes, best first */
  readonly classes: readonly ClassProbability[];
}

/** A prototype that the model compared an image with. */
export interface AttendedPrototype {
  /** the class that it stands for */
  readonly label: string;
  /** 0…1: the share of the attention that it got, mean over the heads */
  readonly attention: number;
  /** the training image that is nearest to it: its index in the training set */
  readonly image: number;
  /** a small copy of that image; null where the model has none */
  readonly thumbnail: Pixels | null;
}

export interface Explanation extends Classification {
  /** what got most attention, most first; empty for a model without prototypes */
  readonly prototypes: readonly AttendedPrototype[];
}

export interface ExplainOptions extends ClassifyOptions {
  /** how many prototypes are told; default 5 */
  readonly prototypes?: number;
}

/** @typeParam Source what an image can be given as, besides pixels */
export interface Model<Source> {
  /** model.json */
  readonly manifest: Manifest;
  /**
   * Decodes an image to the size that the network takes.
   * @throws {InputError} where it cannot be read
   */
  decode(image: Source | Pixels): Promise<Pixels>;
  /** @throws {InputError} where an image cannot be read; pixels of another size are resized */
  classify(image: Source | Pixels, options?: ClassifyOptions): Promise<Classification>;
  classify(images: readonly (Source | Pixels)[], options?: ClassifyOptions): Promise<Classification[]>;
  /** Classifies one image and says which prototypes it was compared with. @throws as {@link classify} */
  explain(image: Source | Pixels, options?: ExplainOptions): Promise<Explanation>;
  /** Frees the memory. */
  close(): Promise<void>;
}

/** What a platform brings. */
export interface Platform<Source> {
  readonly manifest: Manifest;
  readonly session: Session;
  /** An image at its full size. @throws InputError where it cannot be read */
  decode(image: Source): Promise<Pixels>;
  /** An encoded image of three channels at its full size. */
  decodeThumbnails(webp: Uint8Array): Promise<Pixels>;
}

export function createModel<Source>(platform: Platform<Source>): Model<Source> {
  const { manifest, session } = platform;
  const { classes } = manifest;
  let sheet: Promise<Pixels> | undefined;
  const decode = async (image: Source | Pixels) =>
    fitPixels(isPixels(image) ? image : await platform.decode(image), manifest.input);

  async function run(
    images: readonly (Source | Pixels)[],
    wanted: readonly OutputName[] = ['probabilities', 'similarity'],
  ): Promise<Outputs> {
    const decoded = await mapSome(images, decode);
    return session.run(joinPixels(decoded), images.length, wanted);
  }

  function classificationOf(outputs: Outputs, row: number, { top = 1 }: ClassifyOptions): Classification {
    const probabilities = calibrate(rowOf(outputs.probabilities, row, classes.length), manifest.calibration);
    const best = mostProbable(probabilities, classes, top);
    const [similarity] = rowOf(outputs.similarity, row, 1);
    return {
      label: best[0].label,
      confidence: best[0].probability,
      outOfDomain: !(similarity >= manifest.outOfDomain.threshold),
      similarity,
      classes: best,
    };
  }

  async function classify(
    images: Source | Pixels | readonly (Source | Pixels)[],
    options: ClassifyOptions = {},
  ): Promise<Classification | Classification[]> {
    if (!Array.isArray(images)) {
      return classificationOf(await run([images as Source | Pixels]), 0, options);
    }
    const results: Classification[] = [];
    const size = batchSize(manifest.input);
    for (let start = 0; start < images.length; start += size) {
      const part = images.slice(start, start + size);
      const outputs = await run(part);
      for (let row = 0; row < part.length; row++) results.push(classificationOf(outputs, row, options));
    }
    return results;
  }

  async function explain(image: Source | Pixels, options: ExplainOptions = {}): Promise<Explanation> {
    const outputs = await run([image], ['probabilities', 'similarity', 'attention']);
    const thumbnails = manifest.prototypes?.thumbnails;
    if (thumbnails) sheet ??= platform.decodeThumbnails(fromBase64(thumbnails.webp));
    const attended = attendedPrototypes(outputs, manifest)
      .sort((a, b) => b.attention - a.attention)
      .slice(0, options.prototypes ?? 5);
    const pixels = await sheet;
    return {
      ...classificationOf(outputs, 0, options),
      prototypes: attended.map(({ entry, attention }) => ({
        label: classes[entry.label],
        attention,
        image: entry.image,
        thumbnail:
          pixels === undefined || thumbnails == null || entry.thumbnail === null
            ? null
            : cutOut(pixels, entry.thumbnail, thumbnails),
      })),
    };
  }

  return {
    manifest,
    decode,
    classify: classify as Model<Source>['classify'],
    explain,
    close: () => session.close(),
  };
}

/** The most probable classes, best first. @param top how many; at least one is told */
export function mostProbable(
  probabilities: Float32Array,
  labels: readonly string[],
  top: number,
): ClassProbability[] {
  return Array.from(probabilities, (probability, index) => ({ label: labels[index], probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, Math.max(1, top));
}

/** @throws InputError where the graph has not the outputs that its description tells of */
function rowOf(values: Float32Array | undefined, row: number, length: number): Float32Array {
  const part = values?.subarray(row * length, (row + 1) * length);
  if (part?.length !== length) throw new InputError('model.onnx and model.json are not of the same model');
  return part;
}

/** p^(1/T), normalized. */
function calibrate(probabilities: Float32Array, calibration: Manifest['calibration']): Float32Array {
  if (calibration === null) return probabilities;
  const powers = probabilities.map((probability) => probability ** (1 / calibration.temperature));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

type Prototypes = NonNullable<Manifest['prototypes']>;

/** Each prototype with its attention, mean over the heads. */
function attendedPrototypes({ attention }: Outputs, { prototypes }: Manifest) {
  const entries = prototypes?.entries ?? [];
  const heads = (attention?.length ?? 0) / entries.length;
  return entries.map((entry, place) => {
    let sum = 0;
    for (let head = 0; head < heads; head++) sum += attention?.[head * entries.length + place] ?? 0;
    return { entry, attention: sum / heads };
  });
}

/** One thumbnail of the sheet. */
function cutOut(
  sheet: Pixels,
  place: number,
  { columns, height, width }: NonNullable<Prototypes['thumbnails']>,
): Pixels {
  const { channels } = sheet;
  const data = new Uint8Array(height * width * channels);
  const left = (place % columns) * width;
  const top = Math.floor(place / columns) * height;
  for (let row = 0; row < height; row++) {
    const start = ((top + row) * sheet.width + left) * channels;
    data.set(sheet.data.subarray(start, start + width * channels), row * width * channels);
  }
  return { data, height, width, channels };
}

/** @throws InputError where it is none */
function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new InputError('the thumbnails in model.json are not base64');
  }
}
