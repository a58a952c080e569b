import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { remainsOf } from '../../test/support/remains.js';
import { stripes, stripesPair, supervisedConfig, toyConfig } from '../../test/support/toy-images.js';
import type { AlgorithmName, Config } from '../config/index.js';
import { InputError, InterruptedError } from '../errors.js';
import { checkpointPath, listCheckpoints, readRun, runPaths } from '../runs/index.js';
import { algorithms } from '../ssl/index.js';
import { setThreads } from '../tensor/index.js';
import { loadRunModel, stepsToKeep } from './run-checkpoints.js';
import { type TrainingResult, type TrainOptions, train } from './train.js';

const root = mkdtempSync(join(tmpdir(), 'featmatch-resume-'));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(root, { recursive: true }));

let runs = 0;
const newFolder = () => join(root, `run-${++runs}`);

/** Trains in a new folder, or goes on in one, and interrupts it when some steps are done. */
async function interruptedAfter(step: number, config: Config, options: TrainOptions = {}): Promise<string> {
  const folder = options.resume ?? newFolder();
  const controller = new AbortController();
  const training = train(config, stripesPair(), {
    ...(options.resume === undefined ? { folder } : {}),
    ...options,
    signal: controller.signal,
    onStep: (progress) => {
      if (progress.step === step) controller.abort('SIGINT');
    },
  });
  await expect(training).rejects.toThrow(InterruptedError);
  return folder;
}

/** Trains in a new folder until something goes wrong when some steps are done. */
async function failedAfter(step: number, config: Config, data = stripesPair()): Promise<string> {
  const folder = newFolder();
  const onStep = (progress: { step: number }) => {
    if (progress.step === step) throw new Error('a power cut');
  };
  await expect(train(config, data, { folder, onStep })).rejects.toThrow('a power cut');
  return folder;
}

const resume = (folder: string, config: Config, options: TrainOptions = {}) =>
  train(config, stripesPair(), { resume: folder, ...options });

const withoutEffort = ({
  folder: _,
  trainingSeconds: __,
  trainingCpuSeconds: ___,
  ...result
}: TrainingResult) => result;

async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('it succeeded');
    },
    (error) => error as Error,
  );
}

describe('a run that is resumed', () => {
  const config = toyConfig('data.validation=6', 'evaluation.every=3', 'logEvery=5', 'saveEvery=4');
  let whole: TrainingResult;
  beforeAll(async () => {
    whole = await train(config, stripesPair(), { folder: newFolder() });
  });

  it('ends bit for bit as one that was not interrupted, wherever that was', async () => {
    for (const step of [1, 3, 12]) {
      const folder = await interruptedAfter(step, config);
      expect(readRun(folder)).toMatchObject({ status: 'interrupted', record: { step } });
      const result = await resume(folder, config);
      expect(remainsOf(folder).metrics, `after ${step}`).toEqual(remainsOf(whole.folder).metrics);
      expect({ ...remainsOf(folder), checkpoints: [] }).toEqual({
        ...remainsOf(whole.folder),
        checkpoints: [],
      });
      expect(withoutEffort(result)).toEqual(withoutEffort(whole));
    }
    for (const step of [6, 12]) {
      const folder = await failedAfter(step, config); // not saved at that step: some steps are made once more
      await resume(folder, config);
      expect(remainsOf(folder), `failed after ${step}`).toEqual(remainsOf(whole.folder));
    }
  });

  it('may be interrupted again and again', async () => {
    const folder = await interruptedAfter(2, config);
    await interruptedAfter(3, config, { resume: folder });
    await interruptedAfter(9, config, { resume: folder });
    const started: unknown[] = [];
    const result = await resume(folder, config, { onStart: (start) => started.push(start) });
    expect(started).toEqual([{ folder, step: 9, images: 9 * 30 }]);
    expect(remainsOf(folder).metrics).toEqual(remainsOf(whole.folder).metrics);
    expect(remainsOf(folder).tensors).toEqual(remainsOf(whole.folder).tensors);
    const { record } = readRun(folder);
    expect(record.resumed.map(({ step }) => step)).toEqual([2, 3, 9]);
    expect(record).toMatchObject({ status: 'finished', step: 12, results: { images: result.images } });
    expect(record.results?.trainingSeconds).toBeGreaterThan(0);
    expect(record.seconds).toBeGreaterThan(record.results?.trainingSeconds as number);
  });

  it.each(Object.keys(algorithms) as AlgorithmName[])('ends bit for bit the same with %s', async (name) => {
    const other = toyConfig(
      `algorithm.name=${name}`,
      'ema.decay=0.5',
      'steps=7',
      'saveEvery=3',
      'logEvery=2',
    );
    const uninterrupted = await train(other, stripesPair(), { folder: newFolder() });
    const folder = await failedAfter(5, other);
    await resume(folder, other);
    expect(remainsOf(folder)).toEqual(remainsOf(uninterrupted.folder));
  });

  it('ends bit for bit the same with whitened images', async () => {
    const whitening = supervisedConfig('data.normalization=zca', 'steps=4', 'saveEvery=2');
    const data = { ...stripesPair(), train: stripes(240, 1) }; // more images than an image has pixels
    const uninterrupted = await train(whitening, data, { folder: newFolder() });
    const folder = await failedAfter(3, whitening, data);
    await train(whitening, data, { resume: folder });
    expect(remainsOf(folder)).toEqual(remainsOf(uninterrupted.folder));
  });

  it.each(['median', 'best-on-validation'])('remembers what the protocol %s has seen', async (protocol) => {
    const choosing = supervisedConfig(
      `evaluation.protocol=${protocol}`,
      'evaluation.every=1',
      'evaluation.window=3',
      'data.validation=30',
      'optimizer.learningRate=0.3',
      'optimizer.schedule=constant',
      'saveEvery=0',
    );
    const uninterrupted = await train(choosing, stripesPair(), { folder: newFolder() });
    for (const step of [3, 11]) {
      const folder = await interruptedAfter(step, choosing);
      expect(withoutEffort(await resume(folder, choosing))).toEqual(withoutEffort(uninterrupted));
      const { description } = loadRunModel(folder, () => {});
      expect(description.step).toBe(uninterrupted.evaluatedStep);
    }
  });

  it('goes on with what comes after the last step, where only that was missing', async () => {
    const folder = newFolder();
    const onStep = ({ step }: { step: number }) => {
      if (step === 12) mkdirSync(runPaths(folder).predictions); // in the way
    };
    const error = await errorOf(train(config, stripesPair(), { folder, onStep }));
    expect(error.message).toMatch(/^cannot write .*predictions\.csv: it is a folder/);
    expect(readRun(folder)).toMatchObject({ status: 'failed', record: { step: 12 } });
    rmdirSync(runPaths(folder).predictions);
    const steps: number[] = [];
    const result = await resume(folder, config, { onStep: ({ step }) => steps.push(step) });
    expect(steps).toEqual([]);
    expect(remainsOf(folder)).toEqual(remainsOf(whole.folder));
    expect(withoutEffort(result)).toEqual(withoutEffort(whole));
  });

  it('may be interrupted there too', async () => {
    const folder = await interruptedAfter(12, config);
    const signal = AbortSignal.abort('SIGTERM');
    const error = await errorOf(resume(folder, config, { signal }));
    expect(error).toBeInstanceOf(InterruptedError);
    expect(error.message).toBe(
      `interrupted while images were classified; all is saved, and "featmatch resume ${folder}" goes on from there`,
    );
    expect(error.cause).toBe('SIGTERM');
    expect(readRun(folder).status).toBe('interrupted');
    await resume(folder, config);
    expect(remainsOf(folder).predictions).toEqual(remainsOf(whole.folder).predictions);
  });

  it('begins with the first step where nothing was saved yet', async () => {
    const folder = await failedAfter(2, config);
    expect(listCheckpoints(folder)).toEqual([]);
    const started: number[] = [];
    await resume(folder, config, { onStart: ({ step }) => started.push(step) });
    expect(started).toEqual([0]);
    expect(remainsOf(folder)).toEqual(remainsOf(whole.folder));
  });
});

describe('a damaged checkpoint', () => {
  const config = toyConfig('saveEvery=3');
  /** Changes the last byte of the checkpoint of a step. */
  function damage(folder: string, step: number): void {
    const path = checkpointPath(folder, step);
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
  }

  it('is replaced by the one before it, with a warning, and the run ends the same', async () => {
    const whole = await train(config, stripesPair(), { folder: newFolder() });
    const folder = await failedAfter(10, config);
    damage(folder, 9);
    const warnings: string[] = [];
    await resume(folder, config, { onWarning: (sentence) => warnings.push(sentence) });
    expect(warnings).toEqual([
      `${checkpointPath(folder, 9)} is damaged: its content does not fit its checksum; the one before it takes its place`,
    ]);
    expect(remainsOf(folder).tensors).toEqual(remainsOf(whole.folder).tensors);
    expect(remainsOf(folder).metrics).toEqual(remainsOf(whole.folder).metrics);
    expect(readdirSync(runPaths(folder).checkpoints)).toContain('step-00000009.safetensors.broken');
  });

  it('is no reason to begin again silently where there is no other', async () => {
    const folder = await failedAfter(10, config);
    for (const { step } of listCheckpoints(folder)) damage(folder, step);
    const error = await errorOf(resume(folder, config, { onWarning: () => {} }));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toContain(`all checkpoints of ${folder} are damaged`);
  });

  it('of another run is refused, with every difference', async () => {
    const folder = await failedAfter(10, config);
    const other = await failedAfter(10, toyConfig('saveEvery=3', 'seed=2'));
    copyFileSync(checkpointPath(other, 9), checkpointPath(folder, 9));
    const error = await errorOf(resume(folder, config));
    expect(error.message).toBe(
      `${checkpointPath(folder, 9)} is of another configuration: seed: 1 here, 2 there`,
    );
  });
});

describe('resuming is refused', () => {
  const config = toyConfig('saveEvery=3');

  it('where the run is finished', async () => {
    const { folder } = await train(config, stripesPair(), { folder: newFolder() });
    const before = remainsOf(folder);
    const error = await errorOf(resume(folder, config));
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toBe(`the run ${folder} is finished: there is nothing to resume`);
    expect(remainsOf(folder)).toEqual(before);
  });

  it('where it is being trained', async () => {
    let error: Error | undefined;
    const training = train(config, stripesPair(), {
      folder: newFolder(),
      onStart: ({ folder }) => {
        void errorOf(resume(folder, config)).then((refusal) => {
          error = refusal;
        });
      },
    });
    const { folder } = await training;
    expect(error?.message).toContain(`process ${process.pid} on`);
    expect(error?.message).toContain(`works in ${folder}`);
  });

  it('with another configuration, whose differences are named', async () => {
    const folder = await failedAfter(4, config);
    const error = await errorOf(resume(folder, toyConfig('saveEvery=3', 'steps=20', 'batch.unlabeled=13')));
    expect(error.message).toBe(
      `the run ${folder} is of another configuration: batch.unlabeled: 13 here, 12 there; steps: 20 here, 12 there`,
    );
  });

  it('with other images', async () => {
    const folder = await failedAfter(4, config);
    const data = { ...stripesPair(), train: stripes(72, 3) };
    const error = await errorOf(train(config, data, { resume: folder }));
    expect(error.message).toMatch(
      / was started on other images than those that stripes has now: labeledHash.* of split\.json/,
    );
  });

  it('not where it goes on with other versions or threads, of which it warns', async () => {
    const folder = await failedAfter(4, config);
    const path = runPaths(folder).record;
    const record = JSON.parse(readFileSync(path, 'utf8'));
    record.machine.threads = 7;
    writeFileSync(path, JSON.stringify(record));
    const warnings: string[] = [];
    await resume(folder, config, { onWarning: (sentence) => warnings.push(sentence) });
    expect(warnings).toEqual([
      `${folder} goes on with threads 1, after threads 7: its numbers may differ in their last bits from those of a run without interruption`,
    ]);
  });
});

describe('the checkpoints that stay', () => {
  const stepsOf = (folder: string) => listCheckpoints(folder).map(({ step }) => step);

  it.each([
    [1, [12]],
    [2, [9, 12]],
    [null, [3, 6, 9, 12]],
  ])('are the last ones: %j', async (count, steps) => {
    const { folder } = await train(toyConfig('saveEvery=3', `keepCheckpoints=${count}`), stripesPair(), {
      folder: newFolder(),
    });
    expect(stepsOf(folder)).toEqual(steps);
  });

  it('are also the best one, and the best one of the time of each that stays', () => {
    const accuracies = [0.3, 0.5, 0.4, 0.6, 0.6, 0.2];
    const measurements = accuracies.map((validationAccuracy, i) => ({
      step: 10 * (i + 1),
      testAccuracy: null,
      validationAccuracy,
    }));
    const keptOf = (saved: number[], count: number | null, protocol = 'best-on-validation') => {
      const config = toyConfig(
        `keepCheckpoints=${count}`,
        `evaluation.protocol=${protocol}`,
        'data.validation=6',
      );
      return [...stepsToKeep(saved, config, measurements)].sort((a, b) => a - b);
    };
    expect(keptOf([5], 2)).toEqual([5]); // nothing was evaluated yet
    expect(keptOf([10, 20, 30, 40], 2)).toEqual([20, 30, 40]); // up to 30 it is 20, up to 40 it is 40
    expect(keptOf([20, 40, 50, 60], 2)).toEqual([40, 50, 60]);
    expect(keptOf([20, 40, 50, 60], 1)).toEqual([40, 60]);
    expect(keptOf([20, 40, 50, 60], 1, 'last')).toEqual([60]);
    expect(keptOf([20, 40, 60], null)).toEqual([20, 40, 60]);
  });
});
