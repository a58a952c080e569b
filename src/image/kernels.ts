/**
 * Loops over pixels in WebAssembly, whose vector instructions work on four levels at a time: kernels.c says what each
 * does. An image is copied in, a kernel works on it, and its output is copied out; that costs next to nothing beside the work.
 *
 * Not reentrant, and not shared between threads: each thread loads its own copy.
 */
import { WASM_BASE64 } from './kernels-wasm.js';
import { byteSize, type Pixels } from './pixels.js';
import { MAX_IMAGE_BYTES } from './workspace.js';

interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer };
  inputAddress(): number;
  outputAddress(): number;
  invertFrom(size: number, threshold: number): void;
  maskLevels(size: number, mask: number): void;
  blendWithLevel(size: number, level: number, factor: number): void;
  blendWithGrey(size: number, factor: number): void;
  blendWithSmooth(height: number, width: number, channels: number, factor: number): void;
  sumOfLuma(size: number, channels: number): number;
  resampleLines(
    lines: number,
    lineStep: number,
    length: number,
    step: number,
    channels: number,
    slope: number,
    offset: number,
  ): void;
  resamplePlane(
    height: number,
    width: number,
    channels: number,
    rowByRow: number,
    rowByColumn: number,
    rowOffset: number,
    columnByRow: number,
    columnByColumn: number,
    columnOffset: number,
  ): void;
}

/** What is used of it; the types of Node have no WebAssembly, those of browsers much else. */
declare const WebAssembly: {
  readonly Module: new (program: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const program = Uint8Array.from(atob(WASM_BASE64), (character) => character.charCodeAt(0));

export const kernels = new WebAssembly.Instance(new WebAssembly.Module(program)).exports as Kernels;

const space = (address: number) => new Uint8Array(kernels.memory.buffer, address, MAX_IMAGE_BYTES);
const input = space(kernels.inputAddress());
const output = space(kernels.outputAddress());

/** Makes an image the kernels' input. */
export function load({ data }: Pixels): void {
  input.set(data);
}

/** Copies the kernels' output, of the size of `source`, to the start of `target`. */
export function store(source: Pixels, target: Uint8Array): void {
  target.set(output.subarray(0, byteSize(source)));
}
