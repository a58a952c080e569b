/** Who of the processes that train together is lost: the main thread's side of the thread that watches over them. */
import { once } from 'node:events';
import { hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import { InputError, InterruptedError } from '../../errors.js';
import { awaitVerdict, createVerdict, IS_DONE, type MonitorOptions, type Order } from './monitor-protocol.js';

export interface Monitor {
  /** where the first process listens */
  readonly port: number;
  /**
   * What to say where a call between the processes failed: who is lost, once that is known, which takes a moment. Waits
   * for it.
   */
  explain(error: unknown): Error;
  /** Tells the others why this process ends. */
  fail(error: unknown): void;
  /** Tells the others that this process ends as it should. */
  leave(): void;
}

// The compiled worker, from src as well as from dist: threads do not run TypeScript.
const WORKER_URL = new URL('../../../dist/train/distributed/monitor-worker.js', import.meta.url);
const MOST_MILLISECONDS_TO_TELL = 1000;

export async function startMonitor(options: Omit<MonitorOptions, 'verdict' | 'hostname'>): Promise<Monitor> {
  const verdict = createVerdict();
  const worker = new Worker(WORKER_URL, {
    workerData: { ...options, verdict, hostname: hostname() } satisfies MonitorOptions,
    execArgv: [],
  });
  const [port] = await once(worker, 'message');
  worker.unref();
  const order = (what: Order) => {
    Atomics.store(verdict.flags, IS_DONE, 0);
    worker.postMessage(what);
    Atomics.wait(verdict.flags, IS_DONE, 0, MOST_MILLISECONDS_TO_TELL);
  };
  let isOver = false; // what follows from a loss is nobody's news
  return {
    port,
    explain(error) {
      isOver = true;
      const { rank, silence } = options;
      const loss = awaitVerdict(verdict, silence * 1.5);
      if (loss?.kind === 'interruption') return new InterruptedError(loss.sentence, { cause: 'SIGTERM' });
      const why =
        loss?.sentence ??
        `another process did not answer in time, though all of them live: set a longer distributed.timeout (${(error as Error).message})`;
      return new InputError(`rank ${rank} cannot go on: ${why}`, { cause: error });
    },
    fail(error) {
      if (isOver) return;
      isOver = true;
      const { message } = error as Error;
      const isInterruption = error instanceof InterruptedError;
      const sentence = isInterruption ? `was ${message}` : `failed: ${message}`;
      order({ fail: { kind: isInterruption ? 'interruption' : 'failure', sentence } });
    },
    leave() {
      if (!isOver) order('leave');
      isOver = true;
      void worker.terminate();
    },
  };
}
