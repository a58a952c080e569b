import { beforeAll, describe, expect, it } from 'vitest';
import { stripes, stripesPair, supervisedConfig, toyConfig } from '../../test/support/toy-images.js';
import { InputError } from '../errors.js';
import { setThreads, tidy } from '../tensor/index.js';
import type { StandardNormalization } from './pixels.js';
import { createTrainingLoader, labeledImages, prepareExperiment, recordSplit } from './prepare.js';

beforeAll(() => setThreads(1));

describe('an experiment', () => {
  it('splits the training images by the seed: as many labels of each class, and validation apart', () => {
    const data = stripesPair();
    const { split } = prepareExperiment(toyConfig('data.labels=6', 'data.validation=9'), data);
    const classesOf = (indices: Int32Array) =>
      [...indices].map((index) => data.train.labels[index]).toSorted();
    expect(classesOf(split.labeled)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(classesOf(split.validation)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
    const all = [...split.labeled, ...split.validation, ...split.unlabeled];
    expect(all.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 72 }, (_, i) => i));
    const again = prepareExperiment(toyConfig('data.labels=6', 'seed=2'), data);
    expect(again.split.labeled).not.toEqual(split.labeled);
  });

  it('is normalized by labeled and unlabeled images, and not by validation images', () => {
    const data = stripesPair();
    const config = toyConfig('data.validation=9');
    const { split, normalization } = prepareExperiment(config, data);
    const images = data.train.images.slice();
    const brighter = { ...data, train: { ...data.train, images } };
    for (const index of split.validation) images.fill(255, index * 144, (index + 1) * 144);
    expect(prepareExperiment(config, brighter).normalization).toEqual(normalization);
    images.fill(255, split.unlabeled[0] * 144, (split.unlabeled[0] + 1) * 144);
    expect(prepareExperiment(config, brighter).normalization).not.toEqual(normalization);
  });

  it('refuses more labels than there are images', () => {
    expect(() => prepareExperiment(toyConfig('data.labels=90'), stripesPair())).toThrow(InputError);
  });

  it('gives the labeled images as they are, normalized, in batches', () => {
    const data = { train: stripes(1200, 1), validation: null, test: stripes(3, 2) };
    const experiment = prepareExperiment(toyConfig('data.labels=600'), data);
    const { mean, standardDeviation } = experiment.normalization as StandardNormalization;
    tidy(() => {
      const parts = [...labeledImages(experiment)];
      expect(parts.map(({ images }) => images.shape)).toEqual([
        [256, 1, 12, 12],
        [256, 1, 12, 12],
        [88, 1, 12, 12],
      ]);
      const index = experiment.split.labeled[300];
      expect(parts[1].labels[44]).toBe(data.train.labels[index]);
      const bytes = [...data.train.images.subarray(index * 144, (index + 1) * 144)];
      const [image] = parts[1].images.split([44, 1, 211]).slice(1);
      image.numbers().forEach((value, pixel) => {
        expect(value).toBeCloseTo((bytes[pixel] - mean[0]) / standardDeviation[0], 4);
      });
    });
  });
});

describe('the record of a split', () => {
  it('names the labeled and validation images, and tells their contents apart', () => {
    const data = stripesPair();
    const config = toyConfig('data.validation=3');
    const experiment = prepareExperiment(config, data);
    const record = recordSplit(experiment);
    expect(record.dataset).toBe('stripes');
    expect(record.labeled).toEqual([...experiment.split.labeled]);
    expect(record.validation).toEqual([...experiment.split.validation]);
    expect(recordSplit(prepareExperiment(config, data))).toEqual(record);

    const images = data.train.images.slice();
    const changed = { ...data, train: { ...data.train, images } };
    images[record.labeled[0] * 144] ^= 1;
    const other = recordSplit({ ...experiment, data: changed });
    expect(other.labeledHash).not.toBe(record.labeledHash);
    expect(other).toEqual({ ...record, labeledHash: other.labeledHash });
  });

  it('records what all images are, and of unlabeled ones not their labels', () => {
    const data = stripesPair();
    const experiment = prepareExperiment(toyConfig('data.validation=3'), data);
    const record = recordSplit(experiment);
    expect(record.testImages).toBe(30);
    const changedAt = (part: 'train' | 'test', index: number, what: 'images' | 'labels') => {
      const values = data[part][what].slice();
      values[what === 'images' ? index * 144 : index] ^= 1;
      const changed = recordSplit({
        ...experiment,
        data: { ...data, [part]: { ...data[part], [what]: values } },
      });
      return Object.keys(record).filter(
        (key) => String(Object(changed)[key]) !== String(Object(record)[key]),
      );
    };
    const [unlabeled] = experiment.split.unlabeled;
    expect(changedAt('train', unlabeled, 'images')).toEqual(['unlabeledHash']);
    expect(changedAt('train', unlabeled, 'labels')).toEqual([]);
    expect(changedAt('train', experiment.split.validation[0], 'labels')).toEqual(['validationHash']);
    expect(changedAt('test', 29, 'images')).toEqual(['testHash']);
    expect(changedAt('test', 0, 'labels')).toEqual(['testHash']);
  });
});

describe('the training batches', () => {
  it('have the views that the algorithm asks for', async () => {
    const config = toyConfig('algorithm.strongViews=3', 'algorithm.labeledWeakViews=2');
    const loader = createTrainingLoader(prepareExperiment(config, stripesPair()), 0);
    const batch = await loader.next();
    await loader.close();
    // 6 labeled images with 2 + 1 views, 12 unlabeled ones with 1 + 3
    expect(batch.pixels.length).toBe((6 * 3 + 12 * 4) * 144);
    expect(batch.unlabeledIndices.length).toBe(12);
  });

  it('have no unlabeled images where the algorithm does not look at them', async () => {
    const loader = createTrainingLoader(prepareExperiment(supervisedConfig(), stripesPair()), 0);
    const batch = await loader.next();
    await loader.close();
    expect(batch.pixels.length).toBe(6 * 144);
    expect(batch.unlabeledIndices.length).toBe(0);
  });

  it('have labels of labeled images only, and never show validation images', async () => {
    const data = stripesPair();
    const experiment = prepareExperiment(toyConfig('data.validation=30'), data);
    const { split } = experiment;
    const loader = createTrainingLoader(experiment, 0);
    for (let step = 0; step < 6; step++) {
      const { labels, labeledIndices, unlabeledIndices, release } = await loader.next();
      expect([...labels]).toEqual([...labeledIndices].map((index) => data.train.labels[index]));
      expect([...labeledIndices].every((index) => split.labeled.includes(index))).toBe(true);
      expect([...unlabeledIndices].every((index) => split.unlabeled.includes(index))).toBe(true);
      release();
    }
    await loader.close();
  });

  it('are those of the step where a run continues', async () => {
    const experiment = prepareExperiment(toyConfig(), stripesPair());
    const [fromStart, continued] = [0, 2].map((step) => createTrainingLoader(experiment, step));
    for (let step = 0; step < 2; step++) (await fromStart.next()).release();
    const [one, other] = [await fromStart.next(), await continued.next()];
    expect([...other.pixels]).toEqual([...one.pixels]);
    await Promise.all([fromStart.close(), continued.close()]);
  });
});

describe('a data set of several domains', () => {
  /** Of the 72 images of stripes every second one is of a source domain. */
  function domains() {
    const pair = stripesPair();
    const of = Uint8Array.from({ length: pair.train.count }, (_, image) => image % 2);
    return { ...pair, train: { ...pair.train, domains: { names: ['photo', 'drawing'], of } } };
  }
  const isTarget = (image: number) => image % 2 === 0;

  it('has labeled and validation images of the target only', () => {
    const { split } = prepareExperiment(toyConfig('data.labelShare=0.2', 'data.validation=9'), domains());
    expect([split.labeled.length, split.validation.length]).toEqual([6, 9]); // of 12 a class, 2
    expect([...split.labeled, ...split.validation].every(isTarget)).toBe(true);
    expect(split.unlabeled.length).toBe(72 - 6 - 9);
  });

  it('gives unlabeled images of source domains in the ratio asked for', async () => {
    const config = toyConfig('data.sourceRatio=0.75', 'batch.unlabeled=8');
    const loader = createTrainingLoader(prepareExperiment(config, domains()), 0);
    for (let step = 0; step < 5; step++) {
      const { unlabeledIndices, labeledIndices, release } = await loader.next();
      expect(unlabeledIndices.filter((image) => !isTarget(image)).length).toBe(6);
      expect([...labeledIndices].every(isTarget)).toBe(true);
      release();
    }
    await loader.close();
  });

  it('is learned from the target alone without a ratio', async () => {
    const loader = createTrainingLoader(prepareExperiment(toyConfig(), domains()), 0);
    for (let step = 0; step < 5; step++) {
      const { unlabeledIndices, release } = await loader.next();
      expect([...unlabeledIndices].every(isTarget)).toBe(true);
      release();
    }
    await loader.close();
  });
});

describe('settings that say the same thing twice are refused', () => {
  it.each([
    [['data.labelsPerClass=2', 'data.labelShare=0.1'], /labelsPerClass and data.labelShare both/],
    [['data.validation=3', 'data.validationShare=0.1'], /data.validation and data.validationShare both/],
  ])('%j', (sets, message) => {
    expect(() => prepareExperiment(toyConfig(...sets), stripesPair())).toThrow(InputError);
    expect(() => prepareExperiment(toyConfig(...sets), stripesPair())).toThrow(message);
  });
});
