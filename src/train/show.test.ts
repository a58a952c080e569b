import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readEvents } from '../../test/support/read-events.js';
import { stripesPair, supervisedConfig, toyConfig } from '../../test/support/toy-images.js';
import { readRunMetrics, readSplit, runPaths } from '../runs/index.js';
import { setThreads } from '../tensor/index.js';
import { loadRunModel } from './run-checkpoints.js';
import { train } from './train.js';

const root = mkdtempSync(join(tmpdir(), 'featmatch-show-'));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(root, { recursive: true }));

const config = toyConfig('tensorboard=true', 'data.validation=6', 'evaluation.every=4');
const shown = (folder: string) => readEvents(runPaths(folder).tensorboard);

describe('what TensorBoard is shown', () => {
  const folder = join(root, 'whole');
  beforeAll(async () => {
    await train(config, stripesPair(), { folder });
  });
  const valuesOf = (tag: string) =>
    shown(folder).flatMap(({ step, values }) =>
      values.filter((value) => value.tag === tag).map((value) => ({ ...value, step })),
    );

  it('is nothing unless it is wanted', async () => {
    const plain = join(root, 'plain');
    await train(supervisedConfig(), stripesPair(), { folder: plain });
    expect(existsSync(runPaths(plain).tensorboard)).toBe(false);
  });

  it('begins with the version of the format', () => {
    expect(shown(folder).map(({ version }) => version)[0]).toBe('brain.Event:2');
    expect(shown(folder).some(({ isStart }) => isStart)).toBe(false);
  });

  it('has every number of the metrics, at its step', () => {
    const scalars = shown(folder).flatMap(({ step, values }) =>
      values.flatMap(({ tag, scalar }) =>
        scalar === undefined ? [] : [`${step} ${tag.split('/')[1]} ${scalar}`],
      ),
    );
    const numbers = readRunMetrics(folder).flatMap(({ step, ...metrics }) =>
      Object.entries(metrics).flatMap(([name, value]) =>
        typeof value === 'number' ? [`${step} ${name} ${Math.fround(value)}`] : [],
      ),
    );
    expect(numbers.length).toBeGreaterThan(25);
    expect(scalars).toEqual(numbers);
  });

  it('has the confidences of all pseudo-labels since the last such line', () => {
    expect(
      valuesOf('pseudo-labels/confidences').map(({ step, histogramCount }) => [step, histogramCount]),
    ).toEqual([
      [4, 4 * 12],
      [8, 4 * 12],
      [12, 4 * 12],
    ]);
  });

  it('has views, an image a row, of the first step and wherever a checkpoint is', async () => {
    for (const [tag, rows, columns] of [
      ['views/labeled', 6, 1],
      ['views/unlabeled', 8, 2],
    ] as const) {
      const pictures = valuesOf(tag);
      expect(pictures.map(({ step }) => step)).toEqual([1, 6, 12]);
      const [{ image }] = pictures;
      expect(image).toMatchObject({ height: 12 * rows, width: 12 * columns });
      expect(await sharp(image?.png).metadata()).toMatchObject({
        height: 12 * rows,
        width: 12 * columns,
        channels: 1,
      });
    }
  });

  it('has the confusion matrix of each evaluation', async () => {
    const pictures = valuesOf('confusion/validation');
    expect(pictures.map(({ step }) => step)).toEqual([4, 8, 12]);
    expect(await sharp(pictures[0].image?.png).metadata()).toMatchObject({
      height: 48,
      width: 48,
      format: 'png',
    });
    expect(valuesOf('confusion/test')).toEqual([]);
  });

  it('has features of images and prototypes for the projector, and what they are', async () => {
    const read = (name: string) => readFileSync(join(runPaths(folder).tensorboard, name), 'utf8');
    const rowsOf = (name: string) =>
      read(name)
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
    const features = rowsOf('features.tsv').map((row) => row.map(Number));
    const [head, ...points] = rowsOf('metadata.tsv');
    const { learning, description } = loadRunModel(folder, () => {});
    const prototypes = learning.prototypes();
    const { labeled } = readSplit(folder);
    expect(head).toEqual(['kind', 'class', 'image']);
    expect(points.length).toBe(72 - 6 + Number(prototypes?.labels.length));
    expect(features.length).toBe(points.length);
    expect(features.every((row) => row.length === 64 && row.every(Number.isFinite))).toBe(true);
    expect(points.slice(0, 6)).toEqual(
      labeled.map((image) => [
        'labeled',
        description.classes[stripesPair().train.labels[image]],
        String(image),
      ]),
    );
    expect(features.slice(72 - 6).flat()).toEqual(prototypes?.features.numbers());
    const columns = Math.ceil(Math.sqrt(points.length));
    expect(await sharp(join(runPaths(folder).tensorboard, 'sprite.png')).metadata()).toMatchObject({
      width: 12 * columns,
      height: 12 * Math.ceil(points.length / columns),
    });
    expect(read('projector_config.pbtxt')).toMatch(
      /tensor_path: "features.tsv"[\s\S]*image_path: "sprite.png"\s+single_image_dim: 12\s+single_image_dim: 12/,
    );
  });

  it('is the same, without a gap or anything twice, of a run that was killed and interrupted', async () => {
    const broken = join(root, 'broken');
    const powerCut = ({ step }: { step: number }) => {
      if (step === 8) throw new Error('a power cut');
    };
    await expect(train(config, stripesPair(), { folder: broken, onStep: powerCut })).rejects.toThrow(
      'a power cut',
    );
    const { signal, abort } = abortable();
    const onStep = ({ step }: { step: number }) => step === 7 && abort();
    await expect(train(config, stripesPair(), { resume: broken, signal, onStep })).rejects.toThrow(
      /interrupted/,
    );
    await train(config, stripesPair(), { resume: broken });
    const summaries = (of: string) =>
      shown(of)
        .map(({ step, values }) => ({ step, values: values.filter(({ tag }) => tag !== 'training/seconds') }))
        .filter(({ values }) => values.length > 0);
    expect(summaries(broken)).toEqual(summaries(folder));
    // Each later process says from where on what was seen before does not count.
    expect(
      shown(broken)
        .filter(({ isStart }) => isStart)
        .map(({ step }) => step),
    ).toEqual([6, 7]);
  });
});

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort('SIGINT') };
}
