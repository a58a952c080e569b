// featmatch/infer/browser and the example page as visitors get them: bundled, served, in a real browser.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImageSource, loadModel, type Model } from '../src/infer/node/index.js';
import { writeExportedModel } from './support/exported.js';
import { browserProgram, openBrowser, type StaticServer, serveFolder } from './support/web.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'featmatch-browser-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Bundles one entry point, and tells its chunks. */
async function bundle(entry: string, outDir: string, ssr = false): Promise<Rolldown.OutputChunk[]> {
  const { output } = (await build({
    root: ROOT,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    base: './',
    build: {
      outDir: join(folder, outDir),
      target: 'es2022',
      ssr,
      rolldownOptions: {
        input: join(ROOT, entry),
        preserveEntrySignatures: 'strict',
        output: { entryFileNames: 'entry.js' },
      },
    },
  })) as Rolldown.RolldownOutput;
  return output.filter((file) => file.type === 'chunk');
}

/** Where the modules of a chunk are from: rooms, and packages. */
function origins(chunks: readonly Rolldown.OutputChunk[]): Set<string> {
  const ids = chunks.flatMap(({ moduleIds }) => moduleIds).filter((id) => id.startsWith(ROOT));
  return new Set(
    ids.map((id) => {
      const [, name, inside] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)|.*\/dist\/([^/]+)/.exec(id) ?? [];
      return name ?? inside;
    }),
  );
}

let library: Rolldown.OutputChunk[];
beforeAll(async () => {
  library = await bundle('dist/infer/browser/index.js', 'library');
});

describe('the entry points', () => {
  it('of the browser is under 30 kB without the runtime, and has nothing of Node or of training', () => {
    const own = library.filter((chunk) => !origins([chunk]).has('onnxruntime-web'));
    expect(origins(own)).toEqual(new Set(['infer', 'image', 'errors.js']));
    const bytes = gzipSync(own.map(({ code }) => code).join('')).length;
    expect(bytes).toBeLessThan(30_000);
    expect(own.flatMap(({ imports }) => imports).filter((name) => /^node:|\.node$/.test(name))).toEqual([]);
  });

  it('of Node imports no native code but that of ONNX Runtime and sharp', async () => {
    const chunks = await bundle('dist/infer/node/index.js', 'node', true);
    expect(origins(chunks)).toEqual(new Set(['infer', 'image', 'errors.js']));
    const imported = chunks.flatMap(({ imports }) => imports);
    expect(imported.filter((name) => !name.startsWith('node:'))).toEqual([]);
    const required = chunks.flatMap(({ code }) => [...code.matchAll(/require\w*\(["'](.*?)["']\)/g)]);
    expect(required.map(([, name]) => name).sort()).toEqual(['onnxruntime-node', 'sharp']);
  });
});

describe.skipIf(browserProgram === undefined)('in a browser', { timeout: 180_000 }, () => {
  let browser: Browser;
  let server: StaticServer;
  let model: Model<ImageSource>;
  const photos: Record<string, string> = {};

  beforeAll(async () => {
    const page = join(folder, 'page');
    await Promise.all([
      build({
        root: join(ROOT, 'examples/browser'),
        logLevel: 'error',
        publicDir: false,
        build: { outDir: page },
      }),
      writeExportedModel(join(folder, 'model')),
      // what an image is brought to shows best in colour; this one is for decoding only
      writeExportedModel(join(folder, 'color'), { input: { height: 24, width: 20, channels: 3 } }),
      makePhotos(),
    ]);
    await writeExportedModel(join(page, 'model'));
    [browser, server] = await Promise.all([openBrowser(), serveFolder(folder)]);
    model = await loadModel(join(folder, 'model'));
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await model?.close();
  });

  async function makePhotos(): Promise<void> {
    mkdirSync(join(folder, 'photos'));
    const noise = Uint8Array.from({ length: 90 * 70 * 4 }, (_, i) => (i * i * 31 + (i % 90) * 7) % 256);
    const image = () => sharp(noise, { raw: { width: 90, height: 70, channels: 4 } }).blur(3); // as photographs are
    const opaque = () => image().removeAlpha();
    const files = {
      'plain.png': opaque().png(),
      'transparent.png': image().png(),
      'gray.png': opaque().grayscale().png(),
      'turned.jpg': opaque()
        .withMetadata({ orientation: 6 })
        .jpeg({ quality: 95, chromaSubsampling: '4:4:4' }),
      'lossless.webp': opaque().webp({ lossless: true }),
    };
    for (const [name, file] of Object.entries(files)) {
      photos[name] = join(folder, 'photos', name);
      await file.toFile(photos[name]);
    }
    photos['broken.png'] = join(folder, 'photos', 'broken.png');
    writeFileSync(photos['broken.png'], 'no image');
  }

  async function open(path: string): Promise<{ page: Page; problems: string[] }> {
    const page = await browser.newPage();
    page.setDefaultTimeout(120_000);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(server.url + path);
    return { page, problems };
  }

  it('has the same API with the same pixels and results, on several threads', async () => {
    const { page } = await open('page/');
    await page.addScriptTag({
      type: 'module',
      content: "import * as library from '/library/entry.js'; globalThis.library = library;",
    });
    await page.waitForFunction('globalThis.library');
    const names = Object.keys(photos).filter((name) => name !== 'broken.png');
    const found = await page.evaluate(async (images) => {
      const { library } = globalThis as unknown as { library: typeof import('../src/infer/node/index.js') };
      const load = library.loadModel as (source: string, options?: object) => Promise<Model<string>>;
      const model = await load('/model', { threads: 2 });
      const color = await load('/color/', { backend: 'wasm' });
      const urls = images.map((name) => `/photos/${name}`);
      const pixels = await Promise.all(urls.map((url) => color.decode(url)));
      const sentence = (promise: Promise<unknown>) =>
        promise.then(
          () => 'nothing was refused',
          (error) => `${error.name}: ${error.message}`,
        );
      return {
        isolated: (globalThis as unknown as { crossOriginIsolated: boolean }).crossOriginIsolated,
        backend: (model as unknown as { backend: string }).backend,
        results: await model.classify(urls, { top: 3 }),
        explanation: await model.explain(urls[0]),
        pixels: pixels.map(({ data }) => [...data]),
        refused: [
          await sentence(model.classify('/photos/broken.png')),
          await sentence(model.classify('/photos/none.png')),
          await sentence(load('/nowhere/')),
          await sentence(load('/model', { maxPixels: 100 }).then((small) => small.classify(urls[0]))),
        ],
      };
    }, names);
    expect(found).toMatchObject({ isolated: true, backend: 'wasm' });
    const paths = names.map((name) => photos[name]);
    const expected = await model.classify(paths, { top: 3 });
    found.results.forEach((result, i) => {
      const tolerance = names[i].endsWith('.jpg') || names[i].startsWith('trans') ? 2 : 5; // other decoders
      expect(result.label).toBe(expected[i].label);
      expect(result.confidence).toBeCloseTo(expected[i].confidence, tolerance);
      expect(result.similarity).toBeCloseTo(expected[i].similarity, tolerance);
      expect(result.classes).toHaveLength(3);
    });
    const explanation = await model.explain(paths[0]);
    expect(found.explanation.prototypes.map(({ label, image }) => [label, image])).toEqual(
      explanation.prototypes.map(({ label, image }) => [label, image]),
    );
    const color = await loadModel(join(folder, 'color'));
    for (const [i, path] of paths.entries()) {
      const { data } = await color.decode(path);
      const differences = found.pixels[i].map((level, at) => Math.abs(level - data[at]));
      expect(differences).toHaveLength(24 * 20 * 3);
      expect(Math.max(...differences), names[i]).toBeLessThanOrEqual(/jpg|trans/.test(names[i]) ? 3 : 0);
    }
    await color.close();
    expect(found.refused).toEqual([
      expect.stringMatching(/^InputError: \/photos\/broken\.png: cannot be read as an image \(.+\)$/),
      expect.stringMatching(/^InputError: \/photos\/none\.png: cannot be read as an image \(status 404\)$/),
      expect.stringMatching(/^InputError: \/nowhere\/model\.json cannot be read \(status 404\)/),
      expect.stringMatching(/^InputError: .*90×70 pixels are too many\)$/),
    ]);
    await page.close();
  });

  it('shows label, confidence and prototypes of picked images on the example page, also offline', async () => {
    const { page, problems } = await open('page/');
    await page.getByRole('status').getByText('Ready').waitFor();
    await page.getByLabel('Images').focus(); // by keyboard as well
    await page.getByLabel('Images').setInputFiles([photos['plain.png'], photos['broken.png']]);
    await page.getByText('2 of 2 images done').waitFor();
    const { label, confidence, prototypes } = await model.explain(photos['plain.png']);
    const [first, second] = await page.getByRole('article').all();
    expect(await first.getByRole('heading').textContent()).toBe(label);
    expect(await first.locator('.confidence').textContent()).toContain(
      `${(100 * confidence).toFixed(1)}\u00a0% sure`,
    );
    expect(await first.getByRole('img').getAttribute('alt')).toBe('plain.png');
    expect(await first.getByRole('listitem').count()).toBe(prototypes.length);
    expect(await first.getByRole('listitem').first().textContent()).toContain(prototypes[0].label);
    const corner = await first
      .locator('canvas')
      .first()
      .evaluate(
        (canvas: { getContext(kind: string): { getImageData(...box: number[]): { data: Uint8Array } } }) => [
          ...canvas.getContext('2d').getImageData(0, 0, 1, 1).data,
        ],
      );
    expect(corner).toEqual([0x10, 0x20, 0x30, 255]);
    expect(await second.textContent()).toContain('broken.png: cannot be read as an image');

    await page.context().setOffline(true);
    await page.getByLabel('Images').setInputFiles(photos['gray.png']);
    await page.getByText('1 of 1 images done').waitFor();
    expect(await page.getByRole('article').getByRole('heading').textContent()).toBe(
      (await model.classify(photos['gray.png'])).label,
    );
    expect(problems).toEqual([]);
    await page.close();
  });
});
