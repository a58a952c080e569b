import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeExportedModel } from '../../../test/support/exported.js';
import { type ImageSource, InputError, loadModel, type Model } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-infer-'));
const photo = join(folder, 'photo.png');
let model: Model<ImageSource>;

beforeAll(async () => {
  await writeExportedModel(folder);
  await sharp({ create: { width: 40, height: 30, channels: 3, background: '#d04020' } }).toFile(photo);
  model = await loadModel(folder, { threads: 1 });
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true });
});

/** A grey image of the size that the model takes. */
const grey = (level: number) => ({
  data: new Uint8Array(16 * 12).map((_, i) => (level * (i % 12)) % 256),
  height: 16,
  width: 12,
  channels: 1,
});

describe('a loaded model', () => {
  it('gives the most probable classes, best first', async () => {
    const result = await model.classify(photo, { top: 3 });
    const probabilities = result.classes.map(({ probability }) => probability);
    expect(new Set(result.classes.map(({ label }) => label))).toEqual(new Set(['cat', 'dog', 'owl']));
    expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
    expect(probabilities.reduce((sum, value) => sum + value)).toBeCloseTo(1, 5);
    expect(result).toMatchObject({ label: result.classes[0].label, confidence: probabilities[0] });
    expect((await model.classify(photo)).classes).toHaveLength(1);
  });

  it('takes a path, a URL, bytes and pixels of a file alike', async () => {
    const sources = [photo, pathToFileURL(photo), readFileSync(photo), await model.decode(photo)];
    const results = await model.classify(sources);
    for (const result of results) expect(result).toEqual(results[0]);
  });

  it('classifies more images than a batch holds, each as alone', async () => {
    const images = Array.from({ length: 70 }, (_, i) => grey(i));
    const results = await model.classify(images);
    expect(results).toHaveLength(70);
    for (const i of [0, 63, 64, 69]) {
      const alone = await model.classify(images[i]);
      expect(results[i].label).toBe(alone.label);
      expect(results[i].confidence).toBeCloseTo(alone.confidence, 5);
    }
    expect(await model.classify([])).toEqual([]);
  });

  it('says which prototypes it attended to, with their pictures', async () => {
    const { prototypes } = await model.explain(photo, { prototypes: 2 });
    const all = (await model.explain(photo)).prototypes;
    expect(prototypes).toEqual(all.slice(0, 2));
    expect(all.map(({ attention }) => attention).reduce((sum, share) => sum + share)).toBeCloseTo(1, 5);
    expect(all.map(({ label, image }) => [label, image]).sort()).toEqual([
      ['cat', 10],
      ['dog', 11],
      ['owl', 12],
    ]);
    expect(all[0].thumbnail).toMatchObject({ height: 16, width: 12, channels: 3 });
    expect([...(all[0].thumbnail?.data.subarray(0, 3) ?? [])]).toEqual([0x10, 0x20, 0x30]);
  });

  it('is less sure with a temperature above 1, and calls strange what is below the threshold', async () => {
    const changed = join(folder, 'changed');
    await writeExportedModel(changed, {
      calibration: { temperature: 4, images: 100 },
      outOfDomain: { threshold: 1, share: 0.05, images: 100, of: 'validation' },
    });
    const other = await loadModel(changed);
    const [before, after] = [await model.classify(photo), await other.classify(photo)];
    expect(after.label).toBe(before.label);
    expect(after.confidence).toBeLessThan(before.confidence);
    expect([before.outOfDomain, after.outOfDomain]).toEqual([false, true]);
    await other.close();
  });
});

describe('loadModel refuses with one sentence', () => {
  const graph = () => readFileSync(join(folder, 'model.onnx'));
  const manifest = () => readFileSync(join(folder, 'model.json'), 'utf8');

  it.each([
    ['a missing folder', () => join(folder, 'none'), 'model.json cannot be read'],
    [
      'a damaged graph',
      () => ({ graph: graph().fill(7, 500, 600), manifest: manifest() }),
      'model.onnx is damaged',
    ],
    ['what is not JSON', () => ({ graph: graph(), manifest: '{' }), 'model.json is not JSON'],
    [
      'an unknown format',
      () => ({ graph: graph(), manifest: manifest().replace('"format":1', '"format":2') }),
      'model.json does not describe a model of featmatch: format',
    ],
  ])('%s', async (_, source, sentence) => {
    const error = await loadModel(source()).catch((reason: unknown) => reason as Error);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toContain(sentence);
  });

  it('an image that cannot be read, by its name', async () => {
    writeFileSync(join(folder, 'text.png'), 'no image');
    await expect(model.classify(join(folder, 'text.png'))).rejects.toThrow(
      /text\.png: cannot be read as an image/,
    );
  });
});
