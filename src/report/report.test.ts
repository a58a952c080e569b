import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { stripes, stripesPair, supervisedConfig, toyConfig } from '../../test/support/toy-images.js';
import type { Config } from '../config/index.js';
import type { DatasetParts } from '../data/dataset.js';
import { readRun } from '../runs/index.js';
import { setThreads } from '../tensor/index.js';
import { loadRunModel, train } from '../train/index.js';
import { writeReport } from './report.js';

const root = mkdtempSync(join(tmpdir(), 'featmatch-report-'));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(root, { recursive: true }));

async function reportOf(name: string, config: Config, data: DatasetParts = stripesPair()) {
  const folder = join(root, name);
  await train(config, data, { folder });
  return { folder, html: await write(folder, data) };
}

async function write(folder: string, data: DatasetParts = stripesPair()): Promise<string> {
  const path = await writeReport(
    folder,
    loadRunModel(folder, () => {}),
    data,
  );
  expect(path).toBe(join(folder, 'report.html'));
  return readFileSync(path, 'utf8');
}

const titles = (html: string) => [...html.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title);
const percent = (share: number | null | undefined) =>
  `<strong>${(100 * Number(share)).toFixed(2)} %</strong>`;

describe('the report of a run', () => {
  let tested: { folder: string; html: string };
  beforeAll(async () => {
    tested = await reportOf('tested', toyConfig('steps=9'));
  });

  it('has curves, accuracies, calibration, prototypes and mistakes', () => {
    expect(titles(tested.html)).toEqual([
      'Loss',
      'Learning rate',
      'Pseudo-labels',
      'Accuracy by class',
      'Confusion matrix',
      'Calibration',
      'Map of prototypes',
      'Prototypes and their nearest images',
      'Most confident mistakes',
    ]);
    expect(tested.html).toContain('accuracy of those that count (diagnostic)');
    expect(
      tested.html.match(/alt="prototype \d+: nearest is training image \d+, cosine [01]\.\d+"/g)?.length,
    ).toBe(loadRunModel(tested.folder, () => {}).learning.prototypes()?.labels.length);
  });

  it('is about the test images where the run is, with the accuracy that it reported', () => {
    const { results } = readRun(tested.folder).record;
    expect(tested.html).toContain(`${percent(results?.testAccuracy)} of 30 test images`);
  });

  it('needs nothing that is not in it', async () => {
    const { html } = tested;
    expect(html).not.toMatch(/https?:|<script|<link|@import|url\(/);
    expect(
      [...html.matchAll(/ (?:src|href)="([^"]*)"/g)].every(([, address]) => address.startsWith('data:')),
    ).toBe(true);
    expect(html).toContain("default-src 'none'; img-src data:; style-src 'unsafe-inline'");
    const [, picture] = / src="data:image\/webp;base64,([^"]*)"/.exec(html) ?? [];
    expect(await sharp(Buffer.from(picture, 'base64')).metadata()).toMatchObject({ width: 12, height: 12 });
  });

  it('has pictures that a reader of SVG draws', async () => {
    const pictures = tested.html.match(/<svg.*?<\/svg>/gs) ?? [];
    expect(pictures.length).toBe(7);
    for (const picture of pictures) {
      const file = picture.replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"');
      expect((await sharp(Buffer.from(file)).metadata()).width).toBe(360);
    }
  });

  it('shows the model no test image of a run with validation images', async () => {
    const folder = join(root, 'validated');
    await train(toyConfig('data.validation=6', 'evaluation.every=4'), stripesPair(), { folder });
    const model = loadRunModel(folder, () => {});
    const { learning } = model;
    const shown: number[] = [];
    for (const method of ['predict', 'features'] as const) {
      const compute = learning[method].bind(learning);
      vi.spyOn(learning, method).mockImplementation((images) => {
        shown.push(images.shape[0]);
        return compute(images);
      });
    }
    const html = readFileSync(await writeReport(folder, model, stripesPair()), 'utf8');
    const { results } = readRun(folder).record;
    expect(html).toContain(`${percent(results?.validationAccuracy)} of 6 validation images`);
    expect(titles(html)).toContain('Accuracy');
    // validation images to classify; training images for prototypes, and validation images for their map
    expect(shown).toEqual([6, 72 - 6, 6]);
  });

  it('of a run that is not finished says so, and looks at no test image', async () => {
    const folder = join(root, 'interrupted');
    const controller = new AbortController();
    await train(toyConfig(), stripesPair(), {
      folder,
      signal: controller.signal,
      onStep: ({ step }) => step === 5 && controller.abort('SIGINT'),
    }).catch(() => {});
    const html = await write(folder);
    expect(html).toContain('This run is not finished: interrupted.');
    expect(titles(html)).not.toContain('Confusion matrix');
    expect(html).toContain('test images are looked at when a run is finished');
  });

  it('leaves out what an algorithm has not', async () => {
    const { html } = await reportOf('supervised', supervisedConfig());
    expect(titles(html)).not.toContain('Pseudo-labels');
    expect(titles(html)).not.toContain('Map of prototypes');
  });

  it('is refused with other images than those of the run', async () => {
    const other = { ...stripesPair(), train: stripes(72, 3) };
    await expect(write(tested.folder, other)).rejects.toThrow(/started on other images/);
  });
});
