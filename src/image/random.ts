/**
 * Counter-based randomness: a stream is a pure function of its keys, so what is drawn for one view of one image does
 * not depend on who draws it, when, or what was drawn before.
 */

/** A stream of random numbers. */
export interface Random {
  /** A number in [0, 1), a multiple of 2⁻³². */
  uniform(): number;
  /** An integer in 0…bound−1, each equally likely. `bound` is an integer in 1…2³². */
  integer(bound: number): number;
}

const TWO_32 = 2 ** 32;
const WARM_UP_ROUNDS = 12;

/** The finalizer of MurmurHash3: a bijection of 32-bit integers in which each input bit flips half the output bits. */
function mix(value: number): number {
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

/** sfc32 ("small fast counting", Chris Doty-Humphrey, PractRand): 96 bits of state and a 32-bit counter. */
class SmallFastCounter implements Random {
  private counter = 1;

  constructor(
    private a: number,
    private b: number,
    private c: number,
  ) {
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.next();
  }

  private next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  uniform(): number {
    return this.next() / TWO_32;
  }

  integer(bound: number): number {
    // Values beyond the last whole multiple of `bound` would make small results likelier: draw again.
    const excess = (-bound >>> 0) % bound; // 2³² mod bound, in whole numbers, which is far faster
    let value = this.next();
    while (value >= TWO_32 - excess) value = this.next();
    return value % bound;
  }
}

/**
 * The stream that belongs to `seed` and `keys`. Equal arguments give equal streams; a change in any of them gives an
 * unrelated one. Use the same number of keys in the same order for one purpose.
 *
 * @throws RangeError if a key is not a safe integer.
 */
export function randomStream(seed: number, ...keys: number[]): Random {
  let a = 0x9e3779b9; // three different starts: fractional parts of the golden ratio, √2 and √3
  let b = 0x6a09e667;
  let c = 0xbb67ae85;
  for (let index = -1; index < keys.length; index++) {
    const key = index < 0 ? seed : keys[index];
    if (!Number.isSafeInteger(key)) throw new RangeError(`random key ${index + 1} is ${key}, not an integer`);
    const low = key | 0;
    const high = Math.floor(key / TWO_32) | 0;
    // Each lane is a bijection of every word, given the others: changing one key always changes the state.
    a = mix(mix(a ^ low) ^ high);
    b = mix(mix((b + low) | 0) ^ high);
    c = mix(Math.imul(mix(c ^ low) + high, 0x9e3779b1));
  }
  return new SmallFastCounter(a, b, c);
}

/** The integers 0…n−1 in random order (Fisher–Yates), n! orders equally likely as far as the stream's state reaches. */
export function shuffledRange(n: number, random: Random): Int32Array {
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const j = random.integer(i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  return order;
}
