import type { Command } from 'commander';
import type { ImageSet } from '../data/dataset.js';
import type { Pixels } from '../image/pixels.js';
import { parseCount } from './arguments.js';

interface PredictOptions {
  run: string;
  /** Classes to print for each image. */
  top: number;
  json?: true;
}

interface ImagePrediction {
  readonly image: string;
  /** The most probable classes, best first. */
  readonly classes: readonly { readonly name: string; readonly probability: number }[];
}

export function define(command: Command): void {
  command
    .argument('<images...>', 'image files: JPEG, PNG, WebP, AVIF, GIF, TIFF')
    .requiredOption('--run <folder>', 'run folder')
    .option('--top <count>', 'most probable classes to print for each image', parseCount, 1)
    .option('--json', 'print JSON')
    .action(predict);
}

async function predict(files: readonly string[], { run, top, json }: PredictOptions): Promise<void> {
  const [{ openTrainedModel }, { decodeImage }, { predictImages }] = await Promise.all([
    import('./trained-model.js'),
    import('../infer/node/decode.js'),
    import('../train/index.js'),
  ]);
  const { learning, description } = openTrainedModel(run);
  const { classes, normalization, ...size } = description;
  const images: Pixels[] = [];
  for (const file of files) images.push(await decodeImage(file, size));
  const indices = files.map((_, index) => index);
  const rows = await predictImages(learning, toImageSet(images, size), { normalization, indices });
  const predictions = files.map((image, index) => ({
    image,
    classes: mostProbable(rows[index], classes, top),
  }));
  process.stdout.write(json ? `${JSON.stringify(predictions, null, 2)}\n` : await format(predictions));
}

/** The images side by side. */
function toImageSet(images: readonly Pixels[], size: Omit<Pixels, 'data'>): ImageSet {
  const { height, width, channels } = size;
  const bytes = new Uint8Array(images.length * height * width * channels);
  images.forEach(({ data }, index) => {
    bytes.set(data, index * data.length);
  });
  return { count: images.length, height, width, channels, images: bytes };
}

function mostProbable(
  probabilities: Float32Array,
  classes: readonly string[],
  top: number,
): ImagePrediction['classes'] {
  return Array.from(probabilities, (probability, index) => ({ name: classes[index], probability }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top);
}

async function format(predictions: readonly ImagePrediction[]): Promise<string> {
  const [{ formatTable }, { formatPercent }] = await Promise.all([
    import('./table.js'),
    import('./format.js'),
  ]);
  const rows = predictions.flatMap(({ image, classes }) =>
    classes.map(({ name, probability }, rank) => [rank === 0 ? image : '', name, formatPercent(probability)]),
  );
  return formatTable(
    [{ title: 'image' }, { title: 'class' }, { title: 'probability', align: 'right' }],
    rows,
  );
}
