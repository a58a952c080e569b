/**
 * The one door to the native add-on. It is opened at the first use, so that importing `featmatch` needs no libtorch;
 * only working with tensors does.
 */
import { createRequire } from 'node:module';
import { InputError } from '../errors.js';

declare const handleBrand: unique symbol;
/** Stands for a native tensor or generator. */
export type Handle = number & { readonly [handleBrand]: true };

/** Any of them may lie over a SharedArrayBuffer; what the engine returns never does. */
export type TypedArray<Buffer extends ArrayBufferLike = ArrayBufferLike> =
  | Uint8Array<Buffer>
  | Int8Array<Buffer>
  | Int16Array<Buffer>
  | Uint16Array<Buffer>
  | Int32Array<Buffer>
  | BigInt64Array<Buffer>
  | Float32Array<Buffer>
  | Float64Array<Buffer>;

export type NativeArgument =
  | Handle
  | number
  | boolean
  | string
  | null
  | undefined
  | readonly NativeArgument[];
export type NativeResult = Handle | number | boolean | null | undefined | readonly NativeResult[];

/** What `native/` exports. */
export interface Native {
  operator(name: string, overload: string): number;
  call(operator: number, ...args: NativeArgument[]): NativeResult;
  dispose(handle: Handle): void;
  isDisposed(handle: Handle): boolean;
  bytes(handle: Handle): number;
  /** Tells the garbage collector that JavaScript objects keep so many more (or fewer) bytes alive. */
  reportMemory(bytes: number): void;
  liveTensors(): number;
  shape(handle: Handle): number[];
  strides(handle: Handle): number[];
  dtype(handle: Handle): number;
  device(handle: Handle): string;
  isChannelsLast(handle: Handle): boolean;
  fromData(data: TypedArray, dtype: number, shape: readonly number[]): Handle;
  readData(handle: Handle, into: TypedArray): void;
  item(handle: Handle): number;
  createGenerator(seed: number): Handle;
  generatorState(handle: Handle): Handle;
  setGeneratorState(handle: Handle, state: Handle): void;
  isGradEnabled(): boolean;
  setGradEnabled(enabled: boolean): void;
  requiresGrad(handle: Handle): boolean;
  setRequiresGrad(handle: Handle, value: boolean): void;
  grad(handle: Handle): Handle | null;
  clearGrad(handle: Handle): void;
  backward(handle: Handle, gradient: Handle | null, retainGraph: boolean): void;
  gradients(
    outputs: readonly Handle[],
    inputs: readonly Handle[],
    outputGradients: readonly Handle[] | null,
    createGraph: boolean,
  ): (Handle | null)[];
  emptyCache(): void;
  setCacheLimit(bytes: number): void;
  memory(resetPeak: boolean): { allocated: number; cached: number; peak: number; limit: number };
  engineInformation(): {
    version: string;
    threads: number;
    cuda: boolean;
    oneDnn: boolean;
    description: string;
  };
  setThreads(count: number): void;
  startProfiling(): number;
  stopProfiling(): { name: string; thread: number; start: number; end: number }[];
  /** Only where the add-on was built with CUDA. */
  setAutocast(enabled: boolean): void;
  /** `gloo` and `nccl`, where the add-on was built with them. Without Gloo the functions below do not exist. */
  collectives(): string[];
  openTcpStore(host: string, port: number, isServer: boolean, timeout: number, prefix: string): void;
  openFileStore(path: string, processes: number): void;
  announce(key: string): void;
  isAnnounced(key: string): boolean;
  connect(rank: number, size: number, timeout: number, address: string, useNccl: boolean): void;
  disconnect(): void;
  average(tensors: readonly Handle[], bufferBytes: number): void;
  backwardToMeans(
    loss: Handle,
    parameters: readonly Handle[],
    others: readonly Handle[],
    bufferBytes: number,
  ): void;
  broadcast(tensor: Handle): void;
  gather(tensor: Handle): Handle;
  barrier(): void;
}

let loaded: Native | undefined;

/**
 * The native add-on.
 * @throws InputError where it was not built (no libtorch at set-up) or cannot be loaded
 */
export function native(): Native {
  if (loaded === undefined) {
    const require = createRequire(import.meta.url);
    // OpenBLAS on threads of its own (Debian's libopenblas0-pthread) has them wait for work in a loop, which takes a
    // processor from libtorch's. 2⁴ cycles and they sleep; it reads this when it is loaded.
    process.env.OPENBLAS_THREAD_TIMEOUT ??= '4';
    // A thread that waits for the others spins before it sleeps: in libgomp 300,000 times, 20 ms where a pause takes 140 cycles.
    // Beside another program Linux may put two of our threads on one processor, where each then spins away the time that
    // the other needs (bench/shared-machine.mjs). A tenth of it is less than a scheduler's slice. Read when it is loaded, too.
    if (process.env.OMP_WAIT_POLICY === undefined) process.env.GOMP_SPINCOUNT ??= '30000';
    // Failures of the engine come as errors: no lines on stderr beside them, by glog or by libtorch's own logging.
    process.env.GLOG_minloglevel ??= '3';
    process.env.TORCH_CPP_LOG_LEVEL ??= 'FATAL';
    try {
      loaded = require('../../native/build/Release/featmatch_native.node') as Native;
    } catch (error) {
      const reason = (error as Error).message.split('\n')[0];
      throw new InputError(
        `Training needs libtorch, and the native add-on could not be loaded (${reason}). Install libtorch ` +
          `(Debian and Ubuntu: apt-get install libtorch-dev; elsewhere set LIBTORCH to an unpacked libtorch) and ` +
          `run "npm rebuild featmatch" (in a clone: npm test); "featmatch doctor" tells what is missing.`,
      );
    }
  }
  return loaded;
}
