/** The engine as a whole: version, threads, memory. */
import { availableParallelism } from 'node:os';
import { InputError } from '../errors.js';
import { native } from './native.js';
import { checkedDevice, type Device } from './types.js';

export interface EngineInformation {
  /** libtorch's version */
  readonly version: string;
  readonly threads: number;
  /** the vector instructions its element-wise kernels use, such as AVX2 */
  readonly cpuCapability: string;
  readonly cuda: boolean;
  readonly oneDnn: boolean;
}

/** @throws InputError where the engine is not installed */
export function engineInformation(): EngineInformation {
  const { version, threads, cuda, oneDnn, description } = native().engineInformation();
  const cpuCapability = /CPU capability usage: (\S+)/.exec(description)?.[1] ?? 'unknown';
  return { version, threads, cuda, oneDnn, cpuCapability };
}

/** How many threads one operator may use; libtorch itself may start with one. Default: all processors. */
export function setThreads(count: number = availableParallelism()): void {
  if (!Number.isInteger(count) || count < 1 || count > 1024)
    throw new RangeError(`the number of threads is an integer from 1 to 1024, not ${count}`);
  native().setThreads(count);
}

/**
 * How 3×3 convolutions with stride 1 are computed in float32: by Winograd's minimal filtering, several times as fast and
 * with a rounding error of about 5e-6 of the greatest output; or directly by libtorch, about 1e-7.
 */
export type ConvolutionAlgorithm = 'winograd' | 'direct';

let algorithm: ConvolutionAlgorithm = 'winograd';

/** Chooses for all convolutions from now on; the backward pass takes the way of its forward pass. */
export function setConvolutionAlgorithm(chosen: ConvolutionAlgorithm): void {
  algorithm = chosen;
}

export function convolutionAlgorithm(): ConvolutionAlgorithm {
  return algorithm;
}

let device: Device = 'cpu';

/**
 * Puts all new tensors on a device, unless they are told another. Random numbers are drawn on the CPU, so that they are the
 * same everywhere. Not tested on a GPU.
 * @throws InputError where the engine has no such device
 */
export function setDevice(chosen: Device): void {
  checkedDevice(chosen);
  if (chosen !== 'cpu' && !native().engineInformation().cuda) {
    throw new InputError(
      `device ${chosen} asks for a GPU, but this libtorch has no CUDA or sees no GPU: set LIBTORCH to one with CUDA and build again, or leave device at cpu`,
    );
  }
  device = chosen;
}

/** Where new tensors are. */
export function defaultDevice(): Device {
  return device;
}

/**
 * `bfloat16`: convolutions and matrix products in 16 bits, all else in 32 (libtorch's autocast). Not tested on a GPU.
 * @throws InputError where tensors are not on a GPU
 */
export function setPrecision(precision: 'float32' | 'bfloat16'): void {
  const isMixed = precision === 'bfloat16';
  if (isMixed && device === 'cpu') {
    throw new InputError(
      'precision bfloat16 needs a GPU: set device to cuda, or leave precision at float32, which is faster on CPUs',
    );
  }
  if (device !== 'cpu') native().setAutocast(isMixed);
}

/** How many tensors are alive: the same after every training step, or there is a leak. */
export function liveTensors(): number {
  return native().liveTensors();
}

export interface MemoryStatistics {
  /** bytes in living CPU tensors */
  readonly allocated: number;
  /** bytes kept for reuse */
  readonly cached: number;
  /** the greatest `allocated` since the start or the last reset */
  readonly peak: number;
  /** the most bytes that are kept for reuse */
  readonly limit: number;
}

export function memoryStatistics(options: { resetPeak?: boolean } = {}): MemoryStatistics {
  return native().memory(options.resetPeak ?? false);
}

/** Gives memory that is kept for reuse back to the system. */
export function emptyCache(): void {
  native().emptyCache();
}

/** Keeps at most `bytes` for reuse. */
export function setCacheLimit(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw new RangeError(`the limit of the cache is a number of bytes, 0 or more, not ${bytes}`);
  native().setCacheLimit(bytes);
}
