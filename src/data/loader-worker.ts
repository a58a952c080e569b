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
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string };
}

function work({ options, ring }: WorkerData, report: (message: WorkerMessage) => void): void {
  const writeBatch = createBatchWriter(options);
  for (;;) {
    const step = takeStep(ring);
    try {
      waitUntilFree(ring, step);
      writeBatch(step, slotOf(ring, step));
    } catch (error) {
      const { name, message, stack } = error as Error;
      report({ step, error: { name, message, stack } });
      return;
    }
    markReady(ring, step);
    report({ step });
  }
}

if (parentPort !== null) {
  const port = parentPort;
  work(workerData as WorkerData, (message) => port.postMessage(message));
}
