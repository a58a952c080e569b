import { type Command, Option } from 'commander';
import { InputError } from '../errors.js';
import { parseCount } from './arguments.js';
import type { Classifier, FileResult } from './classify-files.js';
import { formatPercent } from './format.js';

interface PredictOptions {
  model?: string;
  run?: string;
  /** Classes to print for each image. */
  top: number;
  json?: true;
}

export function define(command: Command): void {
  command
    .argument('<images...>', 'image files, folders, globs, or - for a list of files on standard input')
    .addOption(new Option('--model <folder>', 'exported model; libtorch is not needed').conflicts('run'))
    .option('--run <folder>', 'run folder')
    .option('--top <count>', 'most probable classes to print for each image', parseCount, 1)
    .option('--json', 'print JSON, one line for each image')
    .action(predict);
}

async function predict(args: readonly string[], { model, run, top, json }: PredictOptions): Promise<void> {
  const [{ nameImages }, { classifyFiles }] = await Promise.all([
    import('./image-files.js'),
    import('./classify-files.js'),
  ]);
  const classifier = await openClassifier({ model, run, top });
  const { total, images } = await nameImages(args);
  // Where lines of results are seen passing by, they are progress enough.
  const progress = process.stderr.isTTY && !process.stdout.isTTY ? await openProgress(total) : undefined;
  const format = json ? JSON.stringify : formatResult;
  let done = 0;
  try {
    for await (const result of classifyFiles(images, classifier)) {
      process.stdout.write(`${format(result)}\n`);
      progress?.update(++done);
      if ('error' in result) process.exitCode = 1;
    }
  } finally {
    progress?.stop();
    await classifier.close();
  }
}

/** Loaded only where it is shown: a first answer does not wait for it. */
async function openProgress(total: number | null) {
  const { createProgress, createRateMeter } = await import('./progress.js');
  const progress = createProgress({ label: 'classifying', total });
  const rate = createRateMeter();
  return {
    update: (done: number) => progress.update(done, `${Math.round(rate(done))} images/s`),
    stop: progress.stop,
  };
}

async function openClassifier({
  model,
  run,
  top,
}: Pick<PredictOptions, 'model' | 'run' | 'top'>): Promise<Classifier> {
  if (model !== undefined) {
    const { loadModel } = await import('../infer/node/index.js');
    const loaded = await loadModel(model);
    return { ...loaded, classify: (images) => loaded.classify(images, { top }) };
  }
  if (run !== undefined) return openRun(run, top);
  throw new InputError('which model? Add --model <folder> for an exported one, or --run <folder>');
}

async function openRun(run: string, top: number): Promise<Classifier> {
  const [{ openTrainedModel }, { predictImages }, { decodeImage }, { joinPixels }, { mostProbable }] =
    await Promise.all([
      import('./trained-model.js'),
      import('../train/index.js'),
      import('../infer/node/decode.js'),
      import('../infer/fit.js'),
      import('../infer/model.js'),
    ]);
  const { learning, description } = openTrainedModel(run);
  const { classes, normalization, height, width, channels } = description;
  const size = { height, width, channels };
  return {
    decode: (path) => decodeImage(path, size),
    async classify(images) {
      const indices = images.map((_, index) => index);
      const set = { ...size, count: images.length, images: joinPixels(images) };
      const rows = await predictImages(learning, set, { normalization, indices });
      return rows.map((row) => {
        const best = mostProbable(row, classes, top);
        return { label: best[0].label, confidence: best[0].probability, classes: best };
      });
    },
    async close() {},
  };
}

/** `photo.jpg  cat 97.85 %  dog 1.20 %` */
function formatResult(result: FileResult): string {
  if ('error' in result) return result.error;
  const classes = result.classes.map(({ label, probability }) => `${label} ${formatPercent(probability)}`);
  const warning = result.outOfDomain ? ['unlike what the model was trained on'] : [];
  return [result.image, ...classes, ...warning].join('  ');
}
