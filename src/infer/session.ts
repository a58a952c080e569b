/** A loaded graph that runs: what is the same in every ONNX Runtime. */
import type { InferenceSession, TensorConstructor } from 'onnxruntime-common';
import { InputError } from '../errors.js';
import type { Pixels } from '../image/pixels.js';
import { PORTS } from './ports.js';

/** Outputs of one run that the graph has, each with a row for every image. */
export type Outputs = Partial<Readonly<Record<OutputName, Float32Array>>>;

export type OutputName = keyof typeof PORTS;

export interface Session {
  /**
   * @param pixels images one after the other, as the graph takes them @param count one or more
   * @param wanted which outputs; others are not copied
   * @throws {InputError} where the graph takes other images, or is one that loads and does not run
   */
  run(pixels: Uint8Array, count: number, wanted: readonly OutputName[]): Promise<Outputs>;
  close(): Promise<void>;
}

/**
 * Images a run: more of them gain nothing, and of large ones a few are enough, as inside a network each pixel takes
 * kilobytes (12 in CNN-13).
 */
export function batchSize({ height, width }: Pick<Pixels, 'height' | 'width'>): number {
  return Math.min(64, Math.max(1, Math.floor(2 ** 16 / (height * width))));
}

/** Runs one batch after the other: no runtime is faster with two at a time, and the browser's refuses it. */
export function createSession(
  session: InferenceSession,
  { Tensor, input }: { Tensor: TensorConstructor; input: Omit<Pixels, 'data'> },
): Session {
  const { height, width, channels } = input;
  let last: Promise<unknown> = Promise.resolve();

  const run: Session['run'] = async (pixels, count, wanted) => {
    const feeds = { [PORTS.pixels]: new Tensor('uint8', pixels, [count, height, width, channels]) };
    const names = wanted.filter((name) => session.outputNames.includes(PORTS[name]));
    const fetches = names.map((name) => PORTS[name]);
    const outputs = await session.run(feeds, fetches).catch((error: Error) => {
      const [reason] = error.message.split('\n');
      throw new InputError(`ONNX Runtime cannot run the model: ${reason}`, { cause: error });
    });
    return Object.fromEntries(names.map((name) => [name, outputs[PORTS[name]].data as Float32Array]));
  };

  return {
    run(pixels, count, wanted) {
      const result = last.then(() => run(pixels, count, wanted));
      last = result.catch(() => {});
      return result;
    },
    async close() {
      await last;
      await session.release();
    },
  };
}
