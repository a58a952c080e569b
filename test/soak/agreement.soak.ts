// The engine, Node and a browser on the 10,000 test images of Fashion-MNIST: the same class, nearly the same probabilities.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, expect, it } from 'vitest';
import { allIndices, pixelsOf } from '../../src/data/dataset.js';
import { loadDataset } from '../../src/data/load.js';
import { type Classification, loadModel } from '../../src/infer/node/index.js';
import { configureEngine, evaluate, loadRunModel, predictImages } from '../../src/train/index.js';
import { openBrowser, serveFolder } from '../support/web.js';
import { trainedModel } from './trained.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-agreement-'));
afterAll(() => rmSync(folder, { recursive: true }));
const ENTRY = fileURLToPath(new URL('../../dist/infer/browser/index.js', import.meta.url));

it('three ways to the same answer', async () => {
  const { run, model: modelFolder } = trainedModel(folder);
  const { test } = await loadDataset('fashion-mnist');
  const model = await loadModel(modelFolder);
  const { classes, calibration } = model.manifest;
  const temperature = calibration?.temperature ?? 1;

  const { learning, description } = loadRunModel(run, () => {});
  configureEngine(description.config);
  const options = { normalization: description.normalization, indices: allIndices(test) };
  const { accuracy } = await evaluate(learning, test, options);
  const engine = (await predictImages(learning, test, options)).map((row) => {
    const powers = row.map((p) => p ** (1 / temperature));
    const sum = powers.reduce((total, p) => total + p, 0);
    return powers.map((p) => p / sum);
  });

  const images = Array.from({ length: test.count }, (_, i) => ({
    data: pixelsOf(test, i),
    height: 28,
    width: 28,
    channels: 1,
  }));
  const top = classes.length;
  const node = inOrder(await model.classify(images, { top }), classes);
  const right = node.filter((row, i) => greatest(row) === test.labels[i]).length;
  expect(right / test.count).toBe(accuracy); // of the engine, now
  expect(model.manifest.provenance.testAccuracy).toBe(accuracy); // of the run, as it was recorded when it ended
  expect(model.manifest.prototypes?.entries.length).toBeGreaterThan(0); // so that AugF is among what agrees
  expectAgreement('Node and the engine', node, engine);

  await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    root: folder,
    base: './',
    build: {
      outDir: join(folder, 'site'),
      target: 'es2022',
      rolldownOptions: {
        input: ENTRY,
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: 'entry.js' },
      },
    },
  });
  symlinkSync(modelFolder, join(folder, 'site/model'));
  writeFileSync(join(folder, 'site/index.html'), '<!doctype html><title>agreement</title>');
  writeFileSync(join(folder, 'site/images'), Buffer.concat(images.map(({ data }) => data)));
  const server = await serveFolder(join(folder, 'site'));
  for (const backend of ['wasm', 'webgpu'] as const) {
    const browser = await openBrowser({ webgpu: backend === 'webgpu' });
    const page = await browser.newPage();
    await page.goto(server.url);
    await page.addScriptTag({
      type: 'module',
      content: "import * as library from '/entry.js'; globalThis.library = library;",
    });
    await page.waitForFunction('globalThis.library');
    const count = backend === 'wasm' ? images.length : 500; // by the processor, WebGPU does 3 images a second
    const start = performance.now();
    const results = await page.evaluate(
      async ([name, length, classCount]) => {
        const { library } = globalThis as unknown as {
          library: typeof import('../../src/infer/node/index.js');
        };
        const bytes = new Uint8Array(await (await fetch('/images')).arrayBuffer());
        const loaded = await library.loadModel('/model', { backend: name } as object);
        if ((loaded as unknown as { backend: string }).backend !== name) throw new Error(`no ${name}`);
        const pixels = Array.from({ length: length as number }, (_, i) => ({
          data: bytes.subarray(784 * i, 784 * (i + 1)),
          height: 28,
          width: 28,
          channels: 1,
        }));
        return await loaded.classify(pixels, { top: classCount as number });
      },
      [backend, count, top] as const,
    );
    const rows = inOrder(results, classes);
    console.log(`${backend}: ${Math.round((performance.now() - start) / 1000)} s, loading included`);
    expectAgreement(`a browser (${backend}) and the engine`, rows, engine.slice(0, count));
    expectAgreement(`a browser (${backend}) and Node`, rows, node.slice(0, count));
    await browser.close();
  }
  await server.close();
  await model.close();
});

/** Probabilities in the order of the classes. */
function inOrder(results: readonly Classification[], classes: readonly string[]): Float32Array[] {
  return results.map(({ classes: ranked }) => {
    const row = new Float32Array(classes.length);
    for (const { label, probability } of ranked) row[classes.indexOf(label)] = probability;
    return row;
  });
}

function greatest(row: Float32Array): number {
  return row.indexOf(Math.max(...row));
}

function expectAgreement(who: string, a: readonly Float32Array[], b: readonly Float32Array[]): void {
  const same = a.filter((row, i) => greatest(row) === greatest(b[i])).length / a.length;
  const largest = a.reduce(
    (most, row, i) => row.reduce((max, p, label) => Math.max(max, Math.abs(p - b[i][label])), most),
    0,
  );
  console.log(
    `${who}: ${a.length} images, ${100 * same} % the same class, at most ${largest.toExponential(1)} apart`,
  );
  expect(same).toBeGreaterThanOrEqual(0.9999);
  expect(largest).toBeLessThanOrEqual(1e-3);
}
