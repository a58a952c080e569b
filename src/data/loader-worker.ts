/** A thread that makes batches ahead, until it is terminated. Its side of {@link createLoader}. */

import { parentPort, workerData } from 'node:worker_threads';
import { type BatchRing, markReady, slotOf, takeStep, waitUntilFree } from './batch-ring.js';
import { type BatchOptions, createBatchWriter } from './batches.js';

export interface WorkerData {
  readonly options: BatchOptions;
  readonly ring: BatchRing;
}

/** What a worker tells the loader: a batch is ready, or could not be made. After an error the worker ends. */
export interface WorkerMessage {
  readonly step: number;
  /** when it began to make the batch, and was done: µs of the monotonic clock */
  readonly start: number;
  readonly end: number;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string };
}

function work({ options, ring }: WorkerData, report: (message: WorkerMessage) => void): void {
  const writeBatch = createBatchWriter(options);
  for (;;) {
    const step = takeStep(ring);
    let start = monotonicTime();
    try {
      waitUntilFree(ring, step);
      start = monotonicTime();
      writeBatch(step, slotOf(ring, step));
    } catch (error) {
      const { name, message, stack } = error as Error;
      report({ step, start, end: monotonicTime(), error: { name, message, stack } });
      return;
    }
    const end = monotonicTime();
    markReady(ring, step);
    report({ step, start, end });
  }
}

function monotonicTime(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

if (parentPort !== null) {
  const port = parentPort;
  work(workerData as WorkerData, (message) => port.postMessage(message));
}
