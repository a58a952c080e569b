import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectGarbage } from '../../test/support/garbage.js';
import { stripes, stripesPair, supervisedConfig, toyConfig } from '../../test/support/toy-images.js';
import type { Config } from '../config/index.js';
import type { DatasetParts } from '../data/dataset.js';
import { InputError } from '../errors.js';
import {
  checkpointPath,
  METRICS,
  readRun,
  readRunMetrics,
  readSplit,
  runPaths,
  withoutTimes,
} from '../runs/index.js';
import { liveTensors, setThreads } from '../tensor/index.js';
import { loadModel } from './checkpoint.js';
import { evaluate } from './evaluate.js';
import { loadRunModel } from './run-checkpoints.js';
import { type TrainingResult, type TrainOptions, train } from './train.js';

const root = mkdtempSync(join(tmpdir(), 'featmatch-train-'));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(root, { recursive: true }));

let runs = 0;
const newFolder = () => join(root, `run-${++runs}`);

function run(
  config: Config,
  options: TrainOptions = {},
  data: DatasetParts = stripesPair(),
): Promise<TrainingResult> {
  return train(config, data, { folder: newFolder(), ...options });
}

/** The logged metrics without what no two runs have in common. */
function metricsOf({ folder }: TrainingResult) {
  return withoutTimes(readRunMetrics(folder));
}

/** The bytes of a file of a run. */
const fileOf = ({ folder }: TrainingResult, ...path: string[]) => readFileSync(join(folder, ...path), 'utf8');

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('it succeeded');
    },
    (error) => error as Error,
  );
}

describe('a run', () => {
  const config = toyConfig('data.validation=6');
  let result: TrainingResult;
  beforeAll(async () => {
    result = await run(config);
  });

  it('leaves a folder with everything in it', () => {
    expect(readdirSync(result.folder).toSorted()).toEqual(
      ['checkpoints', 'config.json', 'metrics.jsonl', 'predictions.csv', 'run.json', 'split.json'].toSorted(),
    );
    expect(readdirSync(join(result.folder, 'checkpoints'))).toEqual([
      'step-00000006.safetensors',
      'step-00000012.safetensors',
    ]);
    expect(JSON.parse(fileOf(result, 'config.json'))).toEqual(config);
  });

  it('records its end and its results', () => {
    const { record } = readRun(result.folder);
    const { folder: _, ...results } = result;
    expect(record).toMatchObject({ status: 'finished', seed: 1, error: null });
    expect(record.results).toEqual(results);
    expect(record.machine.threads).toBe(1);
    expect(results.images).toBe(12 * (6 + 12 * 2));
    expect(results.trainingSeconds).toBeGreaterThan(0);
    expect(results.trainingCpuSeconds).toBeGreaterThan(results.trainingSeconds / 40); // a busy machine gives little
  });

  it('records which images were labeled', () => {
    const { labeled, validation } = readSplit(result.folder);
    expect(labeled.length).toBe(6);
    expect(validation.length).toBe(6);
    expect(new Set([...labeled, ...validation]).size).toBe(12);
  });

  it('logs the means of the metrics, and accuracies when they are due', () => {
    const lines = readRunMetrics(result.folder);
    const logged = lines.filter((line) => 'loss' in line);
    const evaluated = lines.filter((line) => 'testAccuracy' in line);
    expect(logged.map(({ step }) => step)).toEqual([4, 8, 12]);
    expect(evaluated.map(({ step }) => step)).toEqual([6, 12]);
    expect(Object.keys(logged[0])).toEqual(
      expect.arrayContaining([
        'lossClf',
        'lossConG',
        'lossConF',
        'confidence',
        'coverage',
        'hiddenCorrect',
        'learningRate',
        'seconds',
      ]),
    );
    const known = ['step', ...Object.keys(METRICS)];
    for (const line of lines) expect(known).toEqual(expect.arrayContaining(Object.keys(line)));
    expect(evaluated[1]).toEqual({
      step: 12,
      testAccuracy: null,
      validationAccuracy: result.validationAccuracy,
    });
  });

  it('labels every unlabeled image', () => {
    const { labeled, validation } = readSplit(result.folder);
    const [head, ...lines] = fileOf(result, 'predictions.csv').trim().split('\r\n');
    expect(head).toBe('image,predicted,confidence');
    const images = lines.map((line) => Number(line.split(',')[0]));
    const known = new Set([...labeled, ...validation]);
    expect(images).toEqual(Array.from({ length: 72 }, (_, i) => i).filter((i) => !known.has(i)));
    for (const line of lines) {
      const [, predicted, confidence] = line.split(',');
      expect(['left', 'middle', 'right']).toContain(predicted);
      expect(Number(confidence)).toBeGreaterThan(1 / 3 - 1e-6);
    }
  });

  it('can be loaded again with the accuracy it reported', async () => {
    const { learning, description } = loadModel(
      join(result.folder, 'checkpoints', 'step-00000012.safetensors'),
    );
    const indices = readSplit(result.folder).validation;
    const { accuracy } = await evaluate(learning, stripesPair().train, { ...description, indices });
    expect(accuracy).toBe(result.validationAccuracy);
    expect(description).toMatchObject({
      step: 12,
      classes: ['left', 'middle', 'right'],
      height: 12,
      width: 12,
    });
  });

  it('reports every step', async () => {
    const seen: number[] = [];
    let started = '';
    const { folder } = await run(toyConfig('steps=3', 'predictUnlabeled=false'), {
      onStart: (begun) => {
        started = begun.folder;
      },
      onStep: ({ step, steps, images, metrics }) => {
        seen.push(step);
        expect(steps).toBe(3);
        expect(images).toBe(step * 30);
        expect(metrics.loss).toBeGreaterThan(0);
      },
    });
    expect(seen).toEqual([1, 2, 3]);
    expect(started).toBe(folder);
    expect(existsSync(runPaths(folder).predictions)).toBe(false);
  });

  it('tells how many unlabeled images are labeled', async () => {
    const told: [number, number][] = [];
    const ended = await run(toyConfig('steps=1'), { onLabel: (...counts) => told.push(counts) });
    const unlabeled = fileOf(ended, 'predictions.csv').trim().split('\r\n').length - 1;
    expect(told.at(-1)).toEqual([unlabeled, unlabeled]);
  });

  it('whitens images where it is to, and so does the model that it leaves', async () => {
    const pair = { ...stripesPair(), train: stripes(240, 1) }; // more images than an image has pixels
    const whitened = await run(supervisedConfig('data.normalization=zca'), {}, pair);
    const model = loadModel(checkpointPath(whitened.folder, 12));
    const indices = Int32Array.from({ length: 30 }, (_, i) => i);
    const { accuracy } = await evaluate(model.learning, pair.test, { ...model.description, indices });
    expect(accuracy).toBe(whitened.testAccuracy);
    const plain = await run(supervisedConfig(), {}, pair);
    expect(metricsOf(plain)[0]).not.toEqual(metricsOf(whitened)[0]);
  });

  it('averages the metrics of the steps since the last line', async () => {
    const losses: number[] = [];
    const short = toyConfig('steps=5', 'logEvery=2');
    const { folder } = await run(short, { onStep: ({ metrics }) => losses.push(metrics.loss) });
    const logged = readRunMetrics(folder).filter((line) => 'loss' in line);
    const [a, b, c, d, e] = losses;
    expect(logged.map(({ loss }) => loss)).toEqual([(a + b) / 2, (c + d) / 2, e]);
  });

  it('learns: supervised from few labels, on images that never were among them', async () => {
    const { testAccuracy } = await run(supervisedConfig('steps=25', 'data.labels=12'));
    expect(testAccuracy).toBeGreaterThan(0.8);
  });
});

describe('what a run computes', () => {
  it('is the same for the same seed, and other for another', async () => {
    const [one, again, other] = [
      await run(toyConfig()),
      await run(toyConfig()),
      await run(toyConfig('seed=2')),
    ];
    expect(metricsOf(again)).toEqual(metricsOf(one));
    expect(fileOf(again, 'predictions.csv')).toBe(fileOf(one, 'predictions.csv'));
    expect(metricsOf(other)).not.toEqual(metricsOf(one));
  });

  it('does not depend on the number of threads that make views', async () => {
    const one = await run(toyConfig('data.workers=0'));
    const two = await run(toyConfig('data.workers=2'));
    expect(metricsOf(two)).toEqual(metricsOf(one));
  });

  it.each([
    ['featmatch', toyConfig()],
    ['supervised', supervisedConfig()],
  ])('does not depend on the labels of unlabeled images: %s', async (_, config) => {
    const data = stripesPair();
    const honest = await run(config, {}, data);
    const { labeled } = readSplit(honest.folder);
    const hidden = { ...data, train: { ...data.train, labels: rotatedBetween(data.train.labels, labeled) } };
    const changed = [...hidden.train.labels].filter((label, image) => label !== data.train.labels[image]);
    expect(changed.length).toBeGreaterThan(40);
    const blind = await run(config, {}, hidden);
    expect(readSplit(blind.folder)).toEqual(readSplit(honest.folder));
    const withoutDiagnosis = (result: TrainingResult) =>
      metricsOf(result).map(({ hiddenCorrect: _, ...others }) => others);
    expect(withoutDiagnosis(blind)).toEqual(withoutDiagnosis(honest));
    expect(fileOf(blind, 'predictions.csv')).toBe(fileOf(honest, 'predictions.csv'));
  });

  it('does not depend on the test images', async () => {
    const data = stripesPair();
    const { train: images } = data;
    const [one, other] = [
      await run(toyConfig(), {}, data),
      await run(toyConfig(), {}, { train: images, validation: null, test: images }),
    ];
    const training = (result: TrainingResult) => metricsOf(result).filter((line) => 'loss' in line);
    expect(training(other)).toEqual(training(one));
    expect(fileOf(other, 'predictions.csv')).toBe(fileOf(one, 'predictions.csv'));
  });

  it('does not depend on evaluations, checkpoints and predictions on the way', async () => {
    const median = ['evaluation.protocol=median', 'evaluation.every=1'];
    const often = await run(toyConfig(...median, 'saveEvery=1', 'logEvery=12'));
    const never = await run(toyConfig('saveEvery=0', 'logEvery=12', 'predictUnlabeled=false'));
    const last = (result: TrainingResult) => metricsOf(result).slice(-2);
    expect(metricsOf(often).length).toBe(13);
    expect(metricsOf(never).length).toBe(2);
    expect(last(often)).toEqual(last(never));
  });
});

/**
 * The labels with every stretch between labeled images turned by one place. The split draws positions among the images
 * of a class: since each stretch keeps its number of images of each class, the same images stay labeled.
 */
function rotatedBetween(labels: Int32Array, labeled: readonly number[]): Int32Array {
  const result = labels.slice();
  const borders = [-1, ...labeled, labels.length];
  for (let i = 0; i + 1 < borders.length; i++) {
    const stretch = labels.subarray(borders[i] + 1, borders[i + 1]);
    result.set([...stretch.subarray(1), ...stretch.subarray(0, 1)], borders[i] + 1);
  }
  return result;
}

describe('the protocol', () => {
  const evaluationsOf = (result: TrainingResult) =>
    metricsOf(result).filter((line) => 'validationAccuracy' in line);
  /** A run whose test images cannot be looked at once it has begun, and has recorded which they are. */
  function blindRun(config: Config): Promise<TrainingResult> {
    const { train: images, test } = stripesPair();
    let isClosed = false;
    const blind = { ...test };
    Object.defineProperty(blind, 'images', {
      get() {
        if (isClosed) throw new Error('a test image was looked at');
        return test.images;
      },
    });
    const onStart = () => {
      isClosed = true;
    };
    return run(config, { onStart }, { train: images, validation: null, test: blind });
  }
  const testAccuracyOf = async (path: string) => {
    const { learning, description } = loadModel(path);
    const { test } = stripesPair();
    const indices = Int32Array.from({ length: test.count }, (_, i) => i);
    return (await evaluate(learning, test, { ...description, indices })).accuracy;
  };

  it('last: looks at the test images once, with the last weights', async () => {
    const result = await run(toyConfig('evaluation.every=1', 'saveEvery=0'));
    expect(evaluationsOf(result)).toEqual([
      { step: 12, testAccuracy: result.testAccuracy, validationAccuracy: null },
    ]);
    expect(result.evaluatedStep).toBe(12);
    expect(await testAccuracyOf(checkpointPath(result.folder, 12))).toBe(result.testAccuracy);
  });

  it('last, with validation images: never looks at the test images', async () => {
    const result = await blindRun(toyConfig('data.validation=6', 'evaluation.every=5'));
    expect(evaluationsOf(result).map(({ step }) => step)).toEqual([5, 10, 12]);
    expect(result.testAccuracy).toBeNull();
    expect(result.validationAccuracy).toBe(evaluationsOf(result)[2].validationAccuracy);
    await expect(blindRun(toyConfig())).rejects.toThrow('a test image was looked at'); // so that the test above means something
  });

  it('median: reports the median of the last measurements on the test images', async () => {
    const result = await run(
      toyConfig('evaluation.protocol=median', 'evaluation.every=2', 'evaluation.window=3'),
    );
    const accuracies = evaluationsOf(result).map(({ testAccuracy }) => testAccuracy as number);
    expect(accuracies.length).toBe(6);
    expect(result.testAccuracy).toBe(accuracies.slice(-3).toSorted()[1]);
  });

  it('best-on-validation: keeps the best weights, and only they look at the test images', async () => {
    // a rate at which accuracy comes and goes
    const result = await run(
      supervisedConfig(
        'evaluation.protocol=best-on-validation',
        'evaluation.every=1',
        'data.validation=30',
        'optimizer.learningRate=0.3',
        'saveEvery=0',
        'optimizer.schedule=constant',
      ),
    );
    const evaluations = evaluationsOf(result);
    expect(evaluations.every(({ testAccuracy }) => testAccuracy === null)).toBe(true);
    const accuracies = evaluations.map(({ validationAccuracy }) => validationAccuracy as number);
    expect(result.validationAccuracy).toBe(Math.max(...accuracies));
    expect(accuracies.at(-1)).toBeLessThan(Math.max(...accuracies));
    expect(result.evaluatedStep).toBe(accuracies.indexOf(Math.max(...accuracies)) + 1);
    const best = checkpointPath(result.folder, result.evaluatedStep);
    expect(await testAccuracyOf(best)).toBe(result.testAccuracy);
    expect(loadRunModel(result.folder, () => {}).description.step).toBe(result.evaluatedStep);
  });
});

describe('memory', () => {
  it.each([
    ['featmatch', toyConfig('algorithm.distributionAlignment=true')],
    ['supervised', supervisedConfig()],
  ])('has as many living tensors after every step as after the second: %s', async (_, config) => {
    const live: number[] = [];
    await collectGarbage(); // of the runs before, so that none of it goes while this one counts
    await run(config, { onStep: () => live.push(liveTensors()) });
    expect(live.length).toBe(12);
    expect(live.slice(1)).toEqual(Array<number>(11).fill(live[1]));
  });
});

describe('a run is refused', () => {
  it('where its folder exists, which stays as it is', async () => {
    const folder = newFolder();
    mkdirSync(folder);
    const error = await errorOf(run(toyConfig(), { folder }));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toContain(`${folder} already exists`);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('where there are too few images for its labels, before there is a folder', async () => {
    const folder = newFolder();
    const error = await errorOf(run(toyConfig('data.labels=300'), { folder }));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(/class (left|middle|right) has 24 images, fewer than/);
    expect(existsSync(folder)).toBe(false);
  });

  it.each([
    {
      what: 'it wants pseudo-labels from an average that there is none of',
      setting: 'ema.decay=0',
      message: /average.*ema\.decay/,
    },
    {
      what: 'the heads do not share the features out evenly',
      setting: 'algorithm.heads=3',
      message: /heads.*3/,
    },
    {
      what: 'it is to choose the best weights and has nothing to choose by',
      setting: 'evaluation.protocol=best-on-validation',
      message: /no validation images are held out: set data\.validation/,
    },
    {
      what: 'no view of the labeled images is asked for',
      setting: 'algorithm.labeledStrongViews=0',
      message: /no view of the labeled images/,
    },
  ])('where $what, before there is a folder', async ({ setting, message }) => {
    const folder = newFolder();
    const error = await errorOf(run(toyConfig(setting), { folder }));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(message);
    expect(existsSync(folder)).toBe(false);
  });
});

describe('a run that fails', () => {
  it.each([
    ['featmatch', toyConfig('optimizer.learningRate=1e12')],
    ['supervised', supervisedConfig('optimizer.learningRate=1e12')],
  ])('by diverging says so, at which step, and what to try: %s', async (_, config) => {
    const folder = newFolder();
    const error = await errorOf(run(config, { folder }));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(
      /^training diverged at step \d+ \(learning rate [\d.]+, loss NaN.*; one step before: loss [\d.e+]+.*\): the loss is not a finite number; no checkpoint was saved before; try a smaller optimizer\.learningRate than 1000000000000/,
    );
    expect(readRun(folder).record).toMatchObject({ status: 'failed', error: error.message, results: null });
  });

  it('by weights that no step has seen yet is found at its evaluation, and the last good checkpoint stays', async () => {
    const folder = newFolder();
    // two steps as ever, and one of a size that no number can bear
    const config = supervisedConfig('steps=3', 'saveEvery=1', 'optimizer.learningRate=0.01');
    const data = stripesPair();
    const exploding = { ...config, optimizer: { ...config.optimizer } };
    const error = await errorOf(
      run(
        exploding,
        {
          folder,
          onStep: ({ step }) => {
            if (step === 2) exploding.optimizer.learningRate = 3e38;
          },
        },
        data,
      ),
    );
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toMatch(
      /^training diverged at step 3 \(learning rate [\d.e+]+\): the class probabilities that the model computes are not finite numbers; the checkpoint of step 2 is kept; try/,
    );
    expect(readRun(folder).record).toMatchObject({ status: 'failed', error: error.message, step: 2 });
    expect(loadModel(checkpointPath(folder, 2)).description.step).toBe(2);
  });

  it('in a callback is recorded as failed, and its metrics up to there are kept', async () => {
    const folder = newFolder();
    const error = await errorOf(
      run(toyConfig('logEvery=1'), {
        folder,
        onStep: ({ step }) => {
          if (step === 3) throw new Error('the disk is on fire');
        },
      }),
    );
    expect(error.message).toBe('the disk is on fire');
    expect(readRun(folder).record).toMatchObject({ status: 'failed', error: 'the disk is on fire' });
    expect(readRunMetrics(folder).map(({ step }) => step)).toEqual([1, 2]);
  });
});
