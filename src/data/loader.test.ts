import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { InputError } from '../errors.js';
import { defaultViewOptions } from '../image/views.js';
import { sharedBytes } from './dataset.js';
import { createLoader, type Loader, type LoaderOptions } from './loader.js';

const COUNT = 60;
const SIDE = 8;
const dataset = {
  count: COUNT,
  height: SIDE,
  width: SIDE,
  channels: 3,
  images: sharedBytes(COUNT * SIDE * SIDE * 3),
};
dataset.images.forEach((_, i) => {
  dataset.images[i] = (i * 7919) % 256;
});
const indices = Int32Array.from({ length: COUNT }, (_, i) => i);

const defaults: LoaderOptions = {
  dataset,
  labeled: indices.subarray(0, 4),
  labels: Int32Array.from([0, 1, 0, 1]),
  unlabeled: indices.subarray(4),
  labeledBatch: 6,
  unlabeledBatch: 10,
  labeledViews: { weak: 1, strong: 1 },
  unlabeledViews: { clean: 1, weak: 1, strong: 2 },
  views: defaultViewOptions(dataset),
  seed: 3,
  workers: 0,
};

const open: Loader[] = [];
function loaderWith(options: Partial<LoaderOptions>): Loader {
  const loader = createLoader({ ...defaults, ...options });
  open.push(loader);
  return loader;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((loader) => loader.close()));
  vi.restoreAllMocks();
});

/** The next batches, with hashes for their pixels. */
async function take(loader: Loader, count: number): Promise<string[]> {
  const batches: string[] = [];
  for (let i = 0; i < count; i++) {
    const { release, ...batch } = await loader.next();
    batches.push(
      JSON.stringify({ ...batch, pixels: createHash('sha256').update(batch.pixels).digest('hex') }),
    );
    release();
  }
  return batches;
}

test('the worker is compiled (npm run build)', () => {
  expect(existsSync(new URL('../../dist/data/loader-worker.js', import.meta.url))).toBe(true);
});

describe('the batches of a loader', () => {
  const source = { images: indices.subarray(30), ratio: 0.4 };
  test.each<[string, Partial<LoaderOptions>]>([
    ['of one domain', {}],
    ['of a target and source domains', { unlabeled: indices.subarray(4, 30), source }],
  ])('%s are the same for 0, 1 and 4 workers, in order', async (_, options) => {
    const expected = await take(loaderWith({ ...options, workers: 0 }), 25);
    expect(await take(loaderWith({ ...options, workers: 1 }), 25)).toEqual(expected);
    expect(await take(loaderWith({ ...options, workers: 4, prefetch: 2 }), 25)).toEqual(expected);
    expect(new Set(expected).size).toBe(25);
  });

  test.each([0, 2])('continue from any step, with %i workers', async (workers) => {
    const expected = await take(loaderWith({ workers }), 9);
    expect(await take(loaderWith({ workers, startStep: 5 }), 4)).toEqual(expected.slice(5));
  });

  test('have no unlabelled part if none is asked for', async () => {
    const loader = loaderWith({ workers: 1, unlabeledBatch: 0, unlabeled: new Int32Array(0) });
    const { pixels, unlabeledIndices } = await loader.next();
    expect(pixels.length).toBe(6 * 2 * SIDE * SIDE * 3);
    expect(unlabeledIndices.length).toBe(0);
  });

  test.each([0, 2])('stay as they are until released, with %i workers', async (workers) => {
    const loader = loaderWith({ workers, prefetch: 2 });
    const first = await loader.next();
    const copy = first.pixels.slice();
    const second = await loader.next();
    await wait(50);
    expect(first.pixels).toEqual(copy);
    second.release();
    first.release();
    first.release(); // once more does nothing
    expect((await take(loader, 3)).map((batch) => JSON.parse(batch).step)).toEqual([2, 3, 4]);
  });

  test('leave the labels of the data set with the caller', async () => {
    const labels = { get: vi.fn(() => indices) };
    const withLabels = Object.defineProperty({ ...dataset }, 'labels', { get: labels.get, enumerable: true });
    for (const workers of [0, 1]) await take(loaderWith({ workers, dataset: withLabels }), 3);
    expect(labels.get).not.toHaveBeenCalled();
  });
});

describe('a loader', () => {
  test('makes no more batches ahead than asked for', async () => {
    const loader = loaderWith({ workers: 1, prefetch: 3 });
    const first = await loader.next();
    await wait(200);
    const before = process.cpuUsage().user;
    await wait(200);
    expect(process.cpuUsage().user - before).toBeLessThan(100_000); // the worker sleeps
    first.release();
  });

  test.each([0, 1])('refuses to go on when all batches are held, with %i workers', async (workers) => {
    const loader = loaderWith({ workers, prefetch: 1 });
    const held = [await loader.next(), await loader.next()];
    await expect(loader.next()).rejects.toThrow('release() the batch of step 0');
    held[0].release();
    expect((await loader.next()).step).toBe(2);
  });

  test.each([0, 2])("passes a worker's error on, and again, with %i workers", async (workers) => {
    const unlabeled = indices.slice(4);
    unlabeled.fill(99, 0, 1);
    const loader = loaderWith({ workers, unlabeled });
    const run = async (): Promise<void> => {
      for (;;) (await loader.next()).release();
    };
    await expect(run()).rejects.toThrow('image 99 does not exist: the data set has 60 images');
    await expect(loader.next()).rejects.toThrow(/image 99|release/);
  });

  test('rejects when a worker thread dies', async () => {
    const threads: Worker[] = [];
    const on = Worker.prototype.on;
    vi.spyOn(Worker.prototype, 'on').mockImplementation(function (
      this: Worker,
      ...listener: Parameters<typeof on>
    ) {
      threads.push(this);
      return on.apply(this, listener);
    });
    const loader = loaderWith({ workers: 1, prefetch: 1 });
    await take(loader, 2);
    await threads[0].terminate();
    await expect(take(loader, 4)).rejects.toThrow(/loader thread ended unexpectedly with exit code 1/);
  });

  test('closes quickly, more than once, and while someone waits', async () => {
    const loader = loaderWith({ workers: 2 });
    const started = performance.now();
    const waiting = loader.next();
    await Promise.all([loader.close(), expect(waiting).rejects.toThrow('the loader is closed')]);
    await loader.close();
    await expect(loader.next()).rejects.toThrow('the loader is closed');
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test('does not grow over 10,000 batches', async () => {
    const loader = loaderWith({ workers: 2, labeledBatch: 2, unlabeledBatch: 3 });
    const run = async (count: number): Promise<NodeJS.MemoryUsage> => {
      for (let i = 0; i < count; i++) (await loader.next()).release();
      return process.memoryUsage();
    };
    const before = await run(2000);
    const after = await run(10_000);
    expect(after.external + after.arrayBuffers).toBeLessThan(before.external + before.arrayBuffers + 1e6);
    expect(after.rss - before.rss).toBeLessThan(40e6); // the collector's leeway: 4 kB a batch
  });

  test('leaves no thread behind when it is closed', async () => {
    const threads = () => readdirSync('/proc/self/task').length;
    const before = threads();
    for (let i = 0; i < 5; i++) {
      const loader = loaderWith({ workers: 2 });
      if (i % 2 === 0) (await loader.next()).release();
      await loader.close();
    }
    await expect.poll(threads, { timeout: 5000 }).toBeLessThanOrEqual(before);
  });

  test('lets the process end without being closed', () => {
    const script = `
      import { createLoader } from '${new URL('../../dist/data/loader.js', import.meta.url).href}';
      const images = new Uint8Array(new SharedArrayBuffer(16));
      const all = Int32Array.of(0);
      const options = {
        dataset: { count: 1, height: 4, width: 4, channels: 1, images },
        labeled: all, labels: all, unlabeled: all, labeledBatch: 1, unlabeledBatch: 1,
        labeledViews: { weak: 1, strong: 0 }, unlabeledViews: { weak: 1, strong: 0 },
        views: { flip: false, cropPadding: 0, strong: { operations: 0, magnitude: 9, weakFirst: false, cutout: 0 } },
        seed: 1, workers: 2,
      };
      createLoader(options); // not even used
      const loader = createLoader(options);
      console.log((await loader.next()).step, (await loader.next()).step);
    `;
    const args = ['--input-type=module', '--eval', script];
    expect(execFileSync(process.execPath, args, { timeout: 20_000, encoding: 'utf8' })).toBe('0 1\n');
  });

  test.each<[Partial<LoaderOptions>, RegExp]>([
    [{ labeled: new Int32Array(0), labels: new Int32Array(0) }, /no labeled images/],
    [{ unlabeled: new Int32Array(0) }, /no unlabeled images/],
    [{ labeledViews: { weak: 0, strong: 0 }, unlabeledViews: { weak: 0, strong: 0 } }, /at least one view/],
    [{ views: { ...defaults.views, cropPadding: -1 } }, /crop padding/],
    [{ source: { images: indices, ratio: 1.5 } }, /share of source images is a number from 0 to 1, not 1.5/],
    [{ source: { images: new Int32Array(0), ratio: 0.5 } }, /no images of source domains/],
    [{ unlabeled: new Int32Array(0), source: { images: indices, ratio: 0.9 } }, /no unlabeled images/],
    [{ workers: -1 }, /loader workers/],
    [{ prefetch: 0 }, /prefetched batches/],
  ])('refuses %o', (wrong, message) => {
    expect(() => createLoader({ ...defaults, ...wrong })).toThrow(InputError);
    expect(() => createLoader({ ...defaults, ...wrong })).toThrow(message);
  });

  test('refuses labels for another number of images, and images that threads cannot share', () => {
    expect(() => createLoader({ ...defaults, labels: Int32Array.of(1) })).toThrow(
      '1 labels for 4 labeled images',
    );
    const images = dataset.images.slice();
    expect(() => createLoader({ ...defaults, workers: 1, dataset: { ...dataset, images } })).toThrow(
      'SharedArrayBuffer',
    );
  });
});
