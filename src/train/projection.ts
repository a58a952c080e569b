/** Features of images and prototypes, for TensorBoard's projector. */
import { join } from 'node:path';
import sharp from 'sharp';
import { type ImageSet, imageSize, pixelsOf, scaledSize, spread } from '../data/dataset.js';
import { writeFileAtomically } from '../runs/index.js';
import { tidy } from '../tensor/index.js';
import { featuresOf, mostProbable, predictImages } from './evaluate.js';
import type { Learning } from './learning.js';
import { sheetOf } from './pictures.js';
import type { Experiment } from './prepare.js';

/** As many labeled and as many unlabeled images at most; prototypes are all there. */
const MOST_POINTS = 800;
/** Pixels a side of an image in the sprite, of which TensorBoard takes 8192 pixels in all. */
const MAX_SIDE = 48;

interface Point {
  readonly kind: 'labeled' | 'unlabeled' | 'prototype';
  /** class: known, guessed, or that which it stands for */
  readonly label: number;
  /** index into the training set; null of a prototype */
  readonly image: number | null;
  readonly feature: Float32Array;
}

/**
 * Writes the files that the projector reads: features, what they are of, a sheet of the images, and where all that is.
 * @param folder where the event files are @throws InputError where it cannot be written
 */
export async function writeProjection(
  folder: string,
  learning: Learning,
  experiment: Experiment,
): Promise<void> {
  const { train } = experiment.data;
  const points = [...(await imagePoints(learning, experiment)), ...prototypePoints(learning)];
  const sheet = await spriteOf(
    train,
    points.map(({ image }) => image),
  );
  const write = (name: string, content: string | Uint8Array) =>
    writeFileAtomically(join(folder, name), content);
  write('features.tsv', toTsv(points.map(({ feature }) => [...feature])));
  write(
    'metadata.tsv',
    toTsv([
      ['kind', 'class', 'image'],
      ...points.map(({ kind, label, image }) => [
        kind,
        train.classes[label],
        image === null ? '' : (train.names?.[image] ?? image),
      ]),
    ]),
  );
  write('sprite.png', sheet.png);
  write('projector_config.pbtxt', configuration(sheet)); // last: it names the others
}

async function imagePoints(learning: Learning, { data, split, normalization }: Experiment): Promise<Point[]> {
  const { train } = data;
  const [labeled, unlabeled] = [split.labeled, split.unlabeled].map((part) => spread(part, MOST_POINTS));
  const features = await featuresOf(learning, train, {
    normalization,
    indices: [...labeled, ...unlabeled],
  });
  const guesses = await predictImages(learning, train, { normalization, indices: unlabeled });
  return features.map((feature, i): Point => {
    if (i < labeled.length) {
      return { kind: 'labeled', label: train.labels[labeled[i]], image: labeled[i], feature };
    }
    const place = i - labeled.length;
    return { kind: 'unlabeled', label: mostProbable(guesses[place]), image: unlabeled[place], feature };
  });
}

function prototypePoints(learning: Learning): Point[] {
  return tidy(() => {
    const found = learning.prototypes();
    if (found === null) return [];
    const { features, labels } = found;
    const numbers = features.data() as Float32Array;
    const length = numbers.length / labels.length;
    return Array.from(labels, (label, i): Point => {
      const feature = numbers.slice(i * length, (i + 1) * length);
      return { kind: 'prototype', label, image: null, feature };
    });
  });
}

/** A sheet of images, white where there is none, in rows of as many as there are rows. */
async function spriteOf(set: ImageSet, images: readonly (number | null)[]) {
  const columns = Math.ceil(Math.sqrt(images.length));
  const size = imageSize(set);
  const pixels = new Uint8Array(images.length * size).fill(255);
  images.forEach((image, i) => {
    if (image !== null) pixels.set(pixelsOf(set, image), i * size);
  });
  const full = await sheetOf(pixels, set, columns);
  const { height, width } = scaledSize(set, MAX_SIDE);
  const [sheetWidth, sheetHeight] = [columns * width, (full.height / set.height) * height];
  const png = await sharp(full.png).resize(sheetWidth, sheetHeight, { fit: 'fill' }).png().toBuffer();
  return { png, height, width };
}

function toTsv(lines: readonly (readonly (string | number)[])[]): string {
  const written = lines.map((cells) =>
    cells.map((cell) => String(cell).replace(/[\t\r\n]/g, ' ')).join('\t'),
  );
  return `${written.join('\n')}\n`;
}

/** A ProjectorConfig of TensorBoard as text. @param image size of one image in the sprite */
function configuration({ width, height }: { width: number; height: number }): string {
  return `embeddings {
  tensor_name: "features"
  tensor_path: "features.tsv"
  metadata_path: "metadata.tsv"
  sprite {
    image_path: "sprite.png"
    single_image_dim: ${width}
    single_image_dim: ${height}
  }
}
`;
}
