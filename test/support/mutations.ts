/** Damages files at random, from a seed: what disks, networks and enemies do to them. */
import type { Random } from '../../src/image/random.js';

const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x2c, 0x22];
const EDGES_32 = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x00010000, 0x01000000];

type Mutation = (file: Buffer, random: Random) => Buffer;

/** A position in the file, more often near its beginning, where headers are. */
function position(file: Buffer, random: Random): number {
  const length = random.uniform() < 0.5 ? Math.min(file.length, 200) : file.length;
  return random.integer(Math.max(1, length));
}

const MUTATIONS: readonly Mutation[] = [
  function flipBit(file, random) {
    if (file.length > 0) file[position(file, random)] ^= 1 << random.integer(8);
    return file;
  },
  function setByte(file, random) {
    if (file.length > 0) file[position(file, random)] = random.integer(256);
    return file;
  },
  function setEdge(file, random) {
    if (file.length > 0) file[position(file, random)] = EDGES[random.integer(EDGES.length)];
    return file;
  },
  function setInteger(file, random) {
    if (file.length < 4) return file;
    const at = Math.min(position(file, random), file.length - 4);
    const value = EDGES_32[random.integer(EDGES_32.length)];
    if (random.integer(2) === 0) file.writeUInt32LE(value, at);
    else file.writeUInt32BE(value, at);
    return file;
  },
  function cut(file, random) {
    return file.subarray(0, position(file, random));
  },
  function removePart(file, random) {
    const at = position(file, random);
    return Buffer.concat([file.subarray(0, at), file.subarray(at + 1 + random.integer(64))]);
  },
  function insert(file, random) {
    const at = position(file, random);
    const bytes = Buffer.from(Array.from({ length: 1 + random.integer(16) }, () => random.integer(256)));
    return Buffer.concat([file.subarray(0, at), bytes, file.subarray(at)]);
  },
  function repeatPart(file, random) {
    const at = position(file, random);
    const part = file.subarray(at, at + 1 + random.integer(256));
    return Buffer.concat([
      file.subarray(0, at),
      ...Array(1 + random.integer(8)).fill(part),
      file.subarray(at),
    ]);
  },
  function movePart(file, random) {
    if (file.length === 0) return file;
    const part = Buffer.from(file.subarray(position(file, random)).subarray(0, 1 + random.integer(64)));
    part.copy(file, position(file, random));
    return file;
  },
];

/** A copy of the file with one to four damages. */
export function mutate(file: Uint8Array, random: Random): Buffer {
  let mutated: Buffer = Buffer.from(file);
  for (let left = 1 + random.integer(4); left > 0; left--) {
    mutated = MUTATIONS[random.integer(MUTATIONS.length)](mutated, random);
  }
  return mutated;
}
