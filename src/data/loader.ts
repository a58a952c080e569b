/** The endless stream of training batches, made by worker threads ahead of their use. */

import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { InputError } from '../errors.js';
import { checkViewOptions } from '../image/views.js';
import { type BatchRing, createBatchRing, isReady, markFree, markReady, slotOf } from './batch-ring.js';
import { type BatchArrays, type BatchOptions, createBatchWriter, viewsPerBatch } from './batches.js';
import type { WorkerData, WorkerMessage } from './loader-worker.js';

export interface LoaderOptions extends BatchOptions {
  /** Worker threads; 0 makes batches in the calling thread, when they are asked for. */
  readonly workers: number;
  /** Batches made ahead at most. Default: two per worker, at least two. Memory: one batch of pixels each. */
  readonly prefetch?: number;
  /** First step, to continue a run. Default 0. */
  readonly startStep?: number;
  /** Called after a worker thread made a batch. */
  onBatchMade?(made: BatchMade): void;
}

export interface BatchMade {
  readonly step: number;
  /** which of the worker threads, from 0 */
  readonly worker: number;
  /** µs of the monotonic clock of `process.hrtime` */
  readonly start: number;
  readonly end: number;
}

/** The views of one training step. The arrays are the loader's: do not use them after `release()`. */
export interface ViewBatch extends BatchArrays {
  readonly step: number;
  /** Gives the memory back for a later batch. Until then the arrays stay as they are. */
  release(): void;
}

export interface Loader {
  /**
   * The batch of the next step. The batch of step s is a pure function of the options and s.
   *
   * Rejects with the worker's error if making it failed (then all later calls reject too), if the loader is closed, or
   * if too many batches are held without `release()`.
   */
  next(): Promise<ViewBatch>;
  /** Ends the worker threads. May be called more than once, and while `next()` waits. */
  close(): Promise<void>;
}

/** Makes the batches that the loader hands out, somehow. */
interface BatchSource {
  /** Resolves when the slot of `step` is filled. */
  ready(step: number): Promise<void>;
  close(): Promise<void>;
}

// What a worker allocates dies at once. With more room for it, each would grow by tens of megabytes for nothing.
const WORKER_LIMITS = { maxYoungGenerationSizeMb: 3 };

// The compiled worker, from src/data as well as from dist/data: threads do not run TypeScript.
const WORKER_URL = new URL('../../dist/data/loader-worker.js', import.meta.url);

/**
 * Starts making batches. Labelled and unlabelled images come in two independent endless streams, each one random
 * permutation after another: nothing is dropped or repeated within an epoch. A labelled batch may be larger than the
 * labelled set. The process may exit without closing the loader.
 *
 * @throws InputError if there is nothing to draw from or the view options are not valid.
 */
export function createLoader(options: LoaderOptions): Loader {
  checkLoaderOptions(options);
  const { workers, prefetch = Math.max(2, 2 * workers), startStep = 0 } = options;
  const ring = createBatchRing(options, prefetch + 1, startStep); // + 1: the batch in the caller's hands
  const source = workers > 0 ? createWorkers(options, ring, workers) : createInline(options, ring);
  const held = new Set<number>();
  let nextStep = startStep;
  let closed = false;
  let failure: unknown;

  async function next(): Promise<ViewBatch> {
    if (closed) throw new Error('the loader is closed');
    if (failure !== undefined) throw failure;
    const previous = nextStep - ring.slots.length;
    if (held.has(previous)) throw new Error(`release() the batch of step ${previous} before asking for more`);
    const step = nextStep++;
    held.add(step);
    // One turn of the event loop a step: signals, timers and messages would starve in a loop of finished promises.
    await setImmediate();
    await source.ready(step).catch((error: unknown) => {
      failure = error; // no later batch may stand in for this one
      throw error;
    });
    if (closed) throw new Error('the loader is closed');
    return {
      ...slotOf(ring, step),
      step,
      release() {
        if (held.delete(step)) markFree(ring, step);
      },
    };
  }

  return {
    next,
    async close() {
      closed = true;
      await source.close();
    },
  };
}

function checkLoaderOptions(options: LoaderOptions): void {
  const {
    dataset,
    labeled,
    labels,
    unlabeled,
    source,
    labeledBatch,
    unlabeledBatch,
    workers,
    prefetch = 1,
  } = options;
  checkViewOptions(options.views);
  checkCount('the number of loader workers', workers, 0);
  checkCount('the number of prefetched batches', prefetch, 1);
  if (labeledBatch > 0 && labeled.length === 0)
    throw new InputError('there are no labeled images to train on');
  if (unlabeledBatch > 0 && unlabeled.length === 0 && source?.ratio !== 1) {
    throw new InputError(
      'there are no unlabeled images to train on: use an unlabeled batch of 0, or fewer labels',
    );
  }
  if (source !== undefined && !(source.ratio >= 0 && source.ratio <= 1)) {
    throw new InputError(`the share of source images is a number from 0 to 1, not ${source.ratio}`);
  }
  if (source !== undefined && source.ratio > 0 && source.images.length === 0) {
    throw new InputError('there are no images of source domains to train on: use a share of 0');
  }
  const { index, count } = options.share ?? { index: 0, count: 1 };
  if (!(index >= 0 && index < count) || labeledBatch % count > 0 || unlabeledBatch % count > 0) {
    throw new RangeError(
      `${labeledBatch} and ${unlabeledBatch} images have no part ${index} of ${count} equal ones`,
    );
  }
  if (labels.length !== labeled.length) {
    throw new RangeError(`${labels.length} labels for ${labeled.length} labeled images`);
  }
  if (viewsPerBatch(options) === 0) throw new InputError('a batch needs at least one view of one image');
  const { images } = dataset;
  if (workers > 0 && images instanceof Uint8Array && !(images.buffer instanceof SharedArrayBuffer)) {
    throw new TypeError('worker threads need the images on a SharedArrayBuffer');
  }
}

function checkCount(what: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new InputError(`${what} is a whole number, ${least} or more, not ${value}`);
  }
}

/** Only what a worker needs: above all not the labels that a data set may carry beside its images. */
function batchOptionsOf(options: LoaderOptions): BatchOptions {
  const {
    labeled,
    labels,
    unlabeled,
    source,
    labeledBatch,
    unlabeledBatch,
    labeledViews,
    unlabeledViews,
    views,
    seed,
    share,
  } = options;
  const { count, height, width, channels, images } = options.dataset;
  const dataset = { count, height, width, channels, images };
  return {
    dataset,
    labeled,
    labels,
    unlabeled,
    source,
    labeledBatch,
    unlabeledBatch,
    labeledViews,
    unlabeledViews,
    views,
    seed,
    share,
  };
}

function createInline(options: BatchOptions, ring: BatchRing): BatchSource {
  const writeBatch = createBatchWriter(options);
  return {
    async ready(step) {
      writeBatch(step, slotOf(ring, step));
      markReady(ring, step);
    },
    async close() {},
  };
}

interface Failure {
  /** Steps from here on cannot be had. */
  readonly step: number;
  readonly error: Error;
}

function createWorkers(options: LoaderOptions, ring: BatchRing, count: number): BatchSource {
  let failure: Failure | undefined;
  let closed = false;
  let waiting: (() => void)[] = [];
  const data: WorkerData = { options: batchOptionsOf(options), ring };
  const workers = Array.from({ length: count }, (_, index) => startWorker(index));

  function startWorker(index: number): Worker {
    const worker = new Worker(WORKER_URL, { workerData: data, execArgv: [], resourceLimits: WORKER_LIMITS });
    worker.on('message', ({ error, ...made }: WorkerMessage) => {
      if (error !== undefined) fail({ step: made.step, error: errorOf(error) });
      else options.onBatchMade?.({ ...made, worker: index });
      wake();
    });
    worker.on('error', (error) => fail({ step: 0, error: error as Error }));
    worker.on('exit', (code) => {
      if (failure === undefined && !closed) {
        fail({ step: 0, error: new Error(`a loader thread ended unexpectedly with exit code ${code}`) });
      }
    });
    worker.unref(); // last, as listening for messages does the opposite: an open loader must not keep the process alive
    return worker;
  }

  function fail(reason: Failure): void {
    if (failure === undefined || reason.step < failure.step) failure = reason;
    wake();
  }

  function wake(): void {
    const woken = waiting;
    waiting = [];
    for (const resume of woken) resume();
  }

  return {
    async ready(step) {
      while (!isReady(ring, step) && !closed) {
        if (failure !== undefined && failure.step <= step) throw failure.error;
        for (const worker of workers) worker.ref(); // someone waits for them
        await new Promise<void>((resolve) => waiting.push(resolve));
        for (const worker of workers) worker.unref();
      }
    },
    async close() {
      closed = true;
      wake();
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

/** An error as the worker threw it, with its stack as the cause. */
function errorOf({ name, message, stack }: NonNullable<WorkerMessage['error']>): Error {
  return name === 'InputError' ? new InputError(message) : new Error(message, { cause: stack });
}
