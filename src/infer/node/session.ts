import { InputError } from '../../errors.js';
import type { Pixels } from '../../image/pixels.js';
import { createSession, type Session } from '../session.js';
import { onnxruntime } from './native.js';

const { InferenceSession, Tensor } = onnxruntime;

export interface SessionOptions {
  /** threads that compute; default: as many as the processor has cores */
  readonly threads?: number;
}

/**
 * Loads a graph into ONNX Runtime.
 * @throws {InputError} where the bytes are not a graph that it can run
 */
export async function openSession(
  file: Uint8Array,
  { threads = 0, input }: SessionOptions & { input: Omit<Pixels, 'data'> },
): Promise<Session> {
  try {
    const session = await InferenceSession.create(file, {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      logSeverityLevel: 4, // errors are thrown; a library does not print
    });
    return createSession(session, { Tensor, input });
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new InputError(`ONNX Runtime cannot load the model: ${reason}`, { cause: error });
  }
}
