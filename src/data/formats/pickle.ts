/**
 * Reads the few kinds of pickle that CIFAR comes in: dictionaries, lists, numbers, strings and byte arrays of numpy, as
 * Python 2 writes them with protocol 2. A pickle is a program for a stack machine that may call any function of Python.
 * This reader calls nothing: it knows three names, those of numpy's arrays, and gives up at every other one and at every
 * instruction that such files do not have.
 *
 * Source of the instructions: Python's module `pickletools`.
 */

import { InputError } from '../../errors.js';
import { damaged } from './file.js';

/** A numpy array of unsigned bytes. */
export class PickledArray {
  shape: readonly number[] = [0];
  /** The elements in row-major order, or in column-major order if `isFortran`. */
  data: Uint8Array = new Uint8Array();
  isFortran = false;
}

/** numpy's type of unsigned bytes, the only one there may be. */
class ByteType {}

/** A name of Python, of which only three are known. */
class Name {
  constructor(readonly name: string) {}
}

const RECONSTRUCT = 'numpy.core.multiarray _reconstruct';
const ARRAY = 'numpy ndarray';
const TYPE = 'numpy dtype';

// Bounds on what a hostile file can make of few bytes. The largest real one, of 50,000 images, has 200,000 instructions,
// ten containers, and lists written a thousand items at a time.
const MAX_INSTRUCTIONS = 2 ** 18;
const MAX_CONTAINERS = 1000;
const MAX_STACK = 5000;
/** Shorter strings have another instruction. */
const LONG_STRING = 256;

const PROTOCOL = 2;
const STOP = '.';

interface Machine {
  readonly file: Buffer;
  readonly path: string;
  /** The next byte to read. */
  at: number;
  /** Where the instruction under way begins. */
  instruction: number;
  containers: number;
  readonly stack: unknown[];
  /** Heights of the stack at which a mark was set. */
  readonly marks: number[];
  readonly memo: unknown[];
}

/** What each instruction does. */
const INSTRUCTIONS: Readonly<Record<string, (machine: Machine) => void>> = {
  '\x80': (machine) => {
    const protocol = machine.file.readUInt8(take(machine, 1));
    if (protocol !== PROTOCOL) throw refuse(machine, `protocol ${protocol} instead of ${PROTOCOL}`);
  },

  N: (machine) => push(machine, null),
  '\x88': (machine) => push(machine, true),
  '\x89': (machine) => push(machine, false),
  K: (machine) => push(machine, machine.file.readUInt8(take(machine, 1))),
  M: (machine) => push(machine, machine.file.readUInt16LE(take(machine, 2))),
  J: (machine) => push(machine, machine.file.readInt32LE(take(machine, 4))),
  U: (machine) => {
    const length = machine.file.readUInt8(take(machine, 1));
    const start = take(machine, length);
    push(machine, machine.file.toString('latin1', start, start + length));
  },
  T: (machine) => {
    const length = machine.file.readUInt32LE(take(machine, 4));
    if (length < LONG_STRING) throw refuse(machine, `a long string of only ${length} bytes`);
    const start = take(machine, length);
    push(machine, machine.file.subarray(start, start + length));
  },

  '(': ({ marks, stack }) => void marks.push(stack.length),
  ']': (machine) => pushContainer(machine, []),
  '}': (machine) => pushContainer(machine, new Map()),
  t: (machine) => pushContainer(machine, popMarked(machine)),
  '\x85': (machine) => pushContainer(machine, pop(machine, 1)),
  '\x86': (machine) => pushContainer(machine, pop(machine, 2)),
  '\x87': (machine) => pushContainer(machine, pop(machine, 3)),
  a: (machine) => append(machine, pop(machine, 1)),
  e: (machine) => append(machine, popMarked(machine)),
  s: (machine) => setItems(machine, pop(machine, 2)),
  u: (machine) => setItems(machine, popMarked(machine)),

  q: (machine) => remember(machine, machine.file.readUInt8(take(machine, 1))),
  r: (machine) => remember(machine, machine.file.readUInt32LE(take(machine, 4))),
  h: (machine) => recall(machine, machine.file.readUInt8(take(machine, 1))),
  j: (machine) => recall(machine, machine.file.readUInt32LE(take(machine, 4))),

  c: (machine) => {
    const name = `${takeLine(machine)} ${takeLine(machine)}`;
    if (![RECONSTRUCT, ARRAY, TYPE].includes(name)) {
      throw refuse(machine, `it asks for ${JSON.stringify(name)}, which is no part of an array`);
    }
    push(machine, new Name(name));
  },
  R: (machine) => {
    const [name, args] = pop(machine, 2);
    pushContainer(machine, create(machine, name, args));
  },
  b: (machine) => {
    const [state] = pop(machine, 1);
    setState(machine, top(machine), state);
  },
};

/**
 * The value of a pickle: `null`, a boolean, a number, a string, the bytes of a long string, an array for a list or a
 * tuple, a `Map`, or a {@link PickledArray}. Bytes are parts of `file`; strings are read as Latin-1.
 *
 * @param path names the file in error messages
 * @throws InputError if it is not a pickle of this kind; it says at which byte
 */
export function readPickle(file: Uint8Array, path: string): unknown {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const start = { at: 0, instruction: 0, containers: 0, stack: [], marks: [], memo: [] };
  const machine: Machine = { file: bytes, path, ...start };
  for (let count = 0; count < MAX_INSTRUCTIONS; count++) {
    machine.instruction = machine.at;
    const code = String.fromCharCode(bytes.readUInt8(take(machine, 1)));
    if (code === STOP) return finish(machine);
    if (!Object.hasOwn(INSTRUCTIONS, code)) {
      throw refuse(machine, `an instruction 0x${code.charCodeAt(0).toString(16)} that they do not have`);
    }
    INSTRUCTIONS[code](machine);
  }
  throw refuse(machine, `more than ${MAX_INSTRUCTIONS} instructions`);
}

function finish(machine: Machine): unknown {
  if (machine.at < machine.file.length) {
    throw damaged(machine.path, `has bytes after its content, from byte ${machine.at} on`);
  }
  return top(machine);
}

function refuse({ path, instruction }: Machine, what: string): InputError {
  return new InputError(
    `${path}: not a pickle as CIFAR's are: ${what}, at byte ${instruction}; get the file again from its publisher`,
  );
}

/** Moves over so many bytes and returns where they start. */
function take(machine: Machine, length: number): number {
  const start = machine.at;
  if (start + length > machine.file.length)
    throw damaged(machine.path, `truncated at byte ${machine.file.length}`);
  machine.at += length;
  return start;
}

function takeLine(machine: Machine): string {
  const start = machine.at;
  const end = machine.file.subarray(start, start + LONG_STRING).indexOf('\n');
  if (end < 0) throw refuse(machine, 'a name without end');
  machine.at += end + 1;
  return machine.file.toString('latin1', start, start + end);
}

function push(machine: Machine, value: unknown): void {
  if (machine.stack.length >= MAX_STACK) throw refuse(machine, `more than ${MAX_STACK} values at a time`);
  machine.stack.push(value);
}

/** For values that take more memory than their instruction. */
function pushContainer(machine: Machine, value: unknown): void {
  if (++machine.containers > MAX_CONTAINERS)
    throw refuse(machine, `more than ${MAX_CONTAINERS} lists and arrays`);
  push(machine, value);
}

function pop(machine: Machine, count: number): unknown[] {
  if (machine.stack.length < count) throw refuse(machine, 'a value is missing');
  return machine.stack.splice(machine.stack.length - count);
}

/** What was pushed since the last mark. */
function popMarked(machine: Machine): unknown[] {
  const height = machine.marks.pop();
  if (height === undefined || height > machine.stack.length) throw refuse(machine, 'a mark is missing');
  return machine.stack.splice(height);
}

function top(machine: Machine): unknown {
  if (machine.stack.length === 0) throw refuse(machine, 'a value is missing');
  return machine.stack.at(-1);
}

function append(machine: Machine, items: unknown[]): void {
  const list = top(machine);
  if (!Array.isArray(list)) throw refuse(machine, 'items for what is no list');
  for (const item of items) list.push(item);
}

function setItems(machine: Machine, items: unknown[]): void {
  const map = top(machine);
  if (!(map instanceof Map)) throw refuse(machine, 'entries for what is no dictionary');
  for (let i = 0; i < items.length; i += 2) {
    if (typeof items[i] !== 'string' || i + 1 === items.length)
      throw refuse(machine, 'an entry without a name');
    map.set(items[i], items[i + 1]);
  }
}

/** Numbers are given in turn, from 0 (`pickle`) or 1 (`cPickle`). */
function remember(machine: Machine, place: number): void {
  if (place > machine.memo.length + 1)
    throw refuse(machine, `a value remembered as number ${place} before its turn`);
  machine.memo[place] = top(machine);
}

function recall(machine: Machine, place: number): void {
  if (place >= machine.memo.length) throw refuse(machine, `value ${place} was not remembered`);
  push(machine, machine.memo[place]);
}

/** Array or type as yet without content, which {@link setState} gives them. */
function create(machine: Machine, callee: unknown, args: unknown): PickledArray | ByteType {
  const name = callee instanceof Name ? callee.name : undefined;
  const [first] = Array.isArray(args) ? args : [];
  if (name === RECONSTRUCT && first instanceof Name && first.name === ARRAY) return new PickledArray();
  if (name === TYPE && first === 'u1') return new ByteType();
  if (name === TYPE)
    throw refuse(machine, `an array of type ${JSON.stringify(first)} instead of "u1", bytes`);
  throw refuse(machine, 'a call of something else than an array');
}

function setState(machine: Machine, target: unknown, state: unknown): void {
  if (target instanceof ByteType) return; // byte order and the like, without meaning for single bytes
  if (!(target instanceof PickledArray) || !Array.isArray(state))
    throw refuse(machine, 'content for what is no array');
  const [, shape, type, isFortran, data] = state;
  const isShape = Array.isArray(shape) && shape.every((length) => Number.isInteger(length) && length >= 0);
  if (
    !isShape ||
    !(type instanceof ByteType) ||
    typeof isFortran !== 'boolean' ||
    !(data instanceof Uint8Array)
  ) {
    throw refuse(machine, 'an array without shape, type or content');
  }
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== data.length) {
    throw refuse(machine, `an array of shape ${shape.join('×')} with ${data.length} bytes`);
  }
  Object.assign(target, { shape, isFortran, data });
}
