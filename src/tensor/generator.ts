import { type Handle, native } from './native.js';
import { keep } from './scope.js';
import { Tensor } from './tensor.js';

const unreachable = new FinalizationRegistry<Handle>((handle) => native().dispose(handle));

/** A seeded stream of random numbers (Mersenne Twister) whose state can be saved and restored. */
export class Generator {
  /** The native generator; for `src/tensor` only. */
  readonly handle: Handle;

  /** @param seed an integer from 0 to 2^53 − 1 */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`a seed is an integer from 0 to 2^53 - 1, not ${seed}`);
    this.handle = native().createGenerator(engineSeed(seed));
    unreachable.register(this, this.handle);
  }

  /** The state as bytes; setting it continues from there. */
  get state(): Uint8Array {
    const state = keep(new Tensor(native().generatorState(this.handle)));
    const bytes = state.data() as Uint8Array;
    state.dispose();
    return bytes;
  }
  set state(bytes: Uint8Array) {
    const state = keep(new Tensor(native().fromData(bytes, 0, [bytes.length])));
    try {
      native().setGeneratorState(this.handle, state.handle);
    } finally {
      state.dispose();
    }
  }
}

/**
 * libtorch seeds the Mersenne Twister with 32 bits and drops the others. Seeds that fit are PyTorch's; wider ones are
 * hashed (Knuth's multiplicative method), so that their upper bits count.
 */
function engineSeed(seed: number): number {
  if (seed < 2 ** 32) return seed;
  return Number(((BigInt(seed) * 0x9e3779b97f4a7c15n) >> 32n) & 0xffffffffn);
}
