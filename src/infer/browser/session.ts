import { InputError } from '../../errors.js';
import type { Pixels } from '../../image/pixels.js';
import { createSession, type Session } from '../session.js';

/** What computes: the graphics processor, or the processor with WebAssembly. */
export type Backend = 'webgpu' | 'wasm';

export interface SessionOptions {
  /** default: WebGPU where the browser has it, else WebAssembly */
  readonly backend?: Backend;
  /**
   * Threads of WebAssembly; default: half the cores, at most 4. More than one need a page that is cross-origin isolated
   * (headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy).
   */
  readonly threads?: number;
  /** folder of ONNX Runtime's .wasm files, with a slash at the end; default: where the bundler put them */
  readonly runtime?: string;
}

/** Whether WebGPU is there, and a device that it can use. */
export async function chooseBackend(): Promise<Backend> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
  return (await gpu?.requestAdapter()) ? 'webgpu' : 'wasm';
}

/**
 * Loads a graph into ONNX Runtime, which is downloaded only now. Settings of the runtime are those of the first model.
 * @throws {InputError} where the bytes are not a graph that it can run
 */
export async function openSession(
  file: Uint8Array,
  {
    backend,
    threads,
    runtime: folder,
    input,
  }: SessionOptions & { backend: Backend; input: Omit<Pixels, 'data'> },
): Promise<Session> {
  const { env, InferenceSession, Tensor } =
    backend === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
  if (threads !== undefined) env.wasm.numThreads = threads;
  if (folder !== undefined) env.wasm.wasmPaths = folder;
  try {
    const session = await InferenceSession.create(file, {
      executionProviders: [backend],
      logSeverityLevel: 4, // errors are thrown; a library does not print
    });
    return createSession(session, { Tensor, input });
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new InputError(`ONNX Runtime cannot load the model: ${reason}`, { cause: error });
  }
}
