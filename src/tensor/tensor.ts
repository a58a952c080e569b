/**
 * Tensor: numbers with a shape, on a device, that can be differentiated. A thin, typed face of libtorch's operators:
 * semantics, broadcasting and type promotion are libtorch's. A method that ends in `InPlace` changes its tensor.
 */
import { type Handle, native, type TypedArray } from './native.js';
import { type Argument, callOperator } from './operator.js';
import { register, release } from './scope.js';
import {
  checkedDevice,
  type Device,
  type DType,
  dtypeCode,
  dtypeName,
  type MemoryFormat,
  memoryFormatCode,
  newArray,
} from './types.js';

/** `dim` counts from the end when negative, as in libtorch. */
export class Tensor {
  /** The native tensor; for `src/tensor` only. */
  readonly handle: Handle;
  /** The `tidy` scope that frees it, if any; for `scope.ts` only. */
  scope: Tensor[] | null = null;

  constructor(handle: Handle) {
    this.handle = handle;
    register(this);
  }

  get shape(): number[] {
    return native().shape(this.handle);
  }
  get strides(): number[] {
    return native().strides(this.handle);
  }
  get dtype(): DType {
    return dtypeName(native().dtype(this.handle));
  }
  get device(): Device {
    return native().device(this.handle);
  }
  get isChannelsLast(): boolean {
    return native().isChannelsLast(this.handle);
  }
  /** The number of elements. */
  get size(): number {
    return this.shape.reduce((product, length) => product * length, 1);
  }
  get isDisposed(): boolean {
    return native().isDisposed(this.handle);
  }

  /** Frees the memory now; a second call does nothing. Any other use of a freed tensor throws. */
  dispose(): void {
    release(this);
  }

  /** A copy of the elements in row-major order: `bool` as bytes, 16-bit floats as their bits. */
  data(): TypedArray<ArrayBuffer> {
    const array = newArray(this.dtype, this.size);
    native().readData(this.handle, array);
    return array;
  }
  /** The elements as JavaScript numbers, in row-major order. */
  numbers(): number[] {
    const widened = callTensor('to.dtype', this, dtypeCode('float64'));
    const result = Array.from(widened.data() as Float64Array);
    widened.dispose();
    return result;
  }
  /** The value of a tensor with one element. @throws Error where there are more */
  item(): number {
    return native().item(this.handle);
  }

  // Gradients

  get requiresGrad(): boolean {
    return native().requiresGrad(this.handle);
  }
  set requiresGrad(value: boolean) {
    native().setRequiresGrad(this.handle, value);
  }
  /** What `backward()` accumulated in this leaf, or null. */
  get grad(): Tensor | null {
    const handle = native().grad(this.handle);
    return handle === null ? null : new Tensor(handle);
  }
  /** Forgets the accumulated gradient. */
  clearGrad(): void {
    native().clearGrad(this.handle);
  }
  /**
   * Adds the gradient of this tensor with respect to every leaf that requires one to that leaf's `grad`.
   * @param gradient weights of the elements; needed unless the tensor is a scalar
   */
  backward(gradient?: Tensor, options: { retainGraph?: boolean } = {}): void {
    native().backward(this.handle, gradient?.handle ?? null, options.retainGraph ?? false);
  }
  /** The same numbers, without history: no gradient flows through. */
  detach(): Tensor {
    return callTensor('detach', this);
  }

  // Type, layout, shape

  /** Converts the element type; the same tensor's numbers where it already fits. */
  to(dtype: DType): Tensor {
    return callTensor('to.dtype', this, dtypeCode(dtype));
  }
  toDevice(device: Device): Tensor {
    return callTensor('to.device', this, checkedDevice(device), dtypeCode(this.dtype));
  }
  contiguous(format: MemoryFormat = 'contiguous'): Tensor {
    return callTensor('contiguous', this, memoryFormatCode(format));
  }
  clone(): Tensor {
    return callTensor('clone', this);
  }
  /** A view where possible, else a copy; one length may be −1. */
  reshape(...shape: number[]): Tensor {
    return callTensor('reshape', this, shape);
  }
  /** Merges the dimensions from `startDim` to `endDim`. */
  flatten(startDim = 0, endDim = -1): Tensor {
    return callTensor('flatten.using_ints', this, startDim, endDim);
  }
  permute(...dims: number[]): Tensor {
    return callTensor('permute', this, dims);
  }
  transpose(dim0: number, dim1: number): Tensor {
    return callTensor('transpose.int', this, dim0, dim1);
  }
  unsqueeze(dim: number): Tensor {
    return callTensor('unsqueeze', this, dim);
  }
  squeeze(dim: number): Tensor {
    return callTensor('squeeze.dim', this, dim);
  }
  /** A view that repeats dimensions of length 1; −1 keeps a length. */
  expand(...shape: number[]): Tensor {
    return callTensor('expand', this, shape);
  }
  /** A view of `length` entries of dimension `dim`, from `start`. */
  narrow(dim: number, start: number, length: number): Tensor {
    return callTensor('narrow', this, dim, start, length);
  }
  /** Turned by a right angle `times` times in the plane of two dimensions, from the first toward the second. */
  rotate90(times: number, dims: readonly [number, number]): Tensor {
    return callTensor('rot90', this, times, dims);
  }
  /** Views of consecutive parts with the given lengths along `dim`. */
  split(lengths: readonly number[], dim = 0): Tensor[] {
    return callTensors('split_with_sizes', this, lengths, dim);
  }
  /** The entries of dimension `dim` at `indices` (int64, 1-d), copied. */
  indexSelect(dim: number, indices: Tensor): Tensor {
    return callTensor('index_select', this, dim, indices);
  }
  /** out[i][j] = this[i][indices[i][j]] for dim 1, and likewise for others. */
  gather(dim: number, indices: Tensor): Tensor {
    return callTensor('gather', this, dim, indices);
  }
  /** Adds the rows of `source` to the rows `indices` of a copy, along `dim`. */
  indexAdd(dim: number, indices: Tensor, source: Tensor): Tensor {
    return callTensor('index_add', this, dim, indices, source);
  }

  // Arithmetic, with broadcasting

  add(other: Tensor | number): Tensor {
    return callTensor(typeof other === 'number' ? 'add.Scalar' : 'add.Tensor', this, other);
  }
  sub(other: Tensor | number): Tensor {
    return callTensor(typeof other === 'number' ? 'sub.Scalar' : 'sub.Tensor', this, other);
  }
  mul(other: Tensor | number): Tensor {
    return callTensor(typeof other === 'number' ? 'mul.Scalar' : 'mul.Tensor', this, other);
  }
  div(other: Tensor | number): Tensor {
    return callTensor(typeof other === 'number' ? 'div.Scalar' : 'div.Tensor', this, other);
  }
  pow(exponent: number): Tensor {
    return callTensor('pow.Tensor_Scalar', this, exponent);
  }
  neg(): Tensor {
    return callTensor('neg', this);
  }
  abs(): Tensor {
    return callTensor('abs', this);
  }
  exp(): Tensor {
    return callTensor('exp', this);
  }
  log(): Tensor {
    return callTensor('log', this);
  }
  sqrt(): Tensor {
    return callTensor('sqrt', this);
  }
  /** Limits every element to [min, max]; either may be null. */
  clamp(min: number | null, max: number | null): Tensor {
    return callTensor('clamp', this, min, max);
  }
  /** Matrix product of the last two dimensions, batched over the others. */
  matmul(other: Tensor): Tensor {
    return callTensor('matmul', this, other);
  }

  /**
   * Eigenvalues (n), in rising order, and eigenvectors (n, n), one a column, of a symmetric matrix, of which only the
   * lower triangle is read.
   */
  eigh(): { values: Tensor; vectors: Tensor } {
    const [values, vectors] = callTensors('linalg_eigh', this) as [Tensor, Tensor];
    return { values, vectors };
  }

  // Comparison: bool tensors

  eq(other: Tensor | number): Tensor {
    return callTensor(typeof other === 'number' ? 'eq.Scalar' : 'eq.Tensor', this, other);
  }
  gt(other: Tensor | number): Tensor {
    return callTensor(typeof other === 'number' ? 'gt.Scalar' : 'gt.Tensor', this, other);
  }
  ge(other: Tensor | number): Tensor {
    return callTensor(typeof other === 'number' ? 'ge.Scalar' : 'ge.Tensor', this, other);
  }
  lt(other: Tensor | number): Tensor {
    return callTensor(typeof other === 'number' ? 'lt.Scalar' : 'lt.Tensor', this, other);
  }
  /** Whether both have the same shape and the same numbers. */
  equals(other: Tensor): boolean {
    return callOperator('equal', [this, other]) as boolean;
  }
  /** The indices of the nonzero elements, one row an element: (count, dimensions), int64. */
  nonzero(): Tensor {
    return callTensor('nonzero', this);
  }

  // Reductions

  /** The sum of all elements, or over `dims`. */
  sum(dims?: readonly number[], keepDim = false): Tensor {
    return dims === undefined ? callTensor('sum', this) : callTensor('sum.dim_IntList', this, dims, keepDim);
  }
  /** The mean of all elements, or over `dims`. */
  mean(dims?: readonly number[], keepDim = false): Tensor {
    return dims === undefined ? callTensor('mean', this) : callTensor('mean.dim', this, dims, keepDim);
  }
  /** The greatest elements along `dim`. */
  amax(dim: number, keepDim = false): Tensor {
    return callTensor('amax', this, [dim], keepDim);
  }
  /** The smallest elements along `dim`. */
  amin(dim: number, keepDim = false): Tensor {
    return callTensor('amin', this, [dim], keepDim);
  }
  /** Where the greatest elements are along `dim`, int64. */
  argmax(dim: number): Tensor {
    return callTensor('argmax', this, dim);
  }
  argmin(dim: number): Tensor {
    return callTensor('argmin', this, dim);
  }
  /** The `count` greatest elements along `dim`, in falling order, and where they are (int64). */
  topk(count: number, dim = -1): { values: Tensor; indices: Tensor } {
    const [values, indices] = callTensors('topk', this, count, dim) as [Tensor, Tensor];
    return { values, indices };
  }
  /** The Euclidean norm over `dims`. */
  norm(dims: readonly number[], keepDim = false): Tensor {
    return callTensor('norm.ScalarOpt_dim', this, 2, dims, keepDim);
  }

  /** How often each of 0, 1, … occurs among integers that are not negative (1-d): (at least `length`), int64. */
  countEach(length: number): Tensor {
    return callTensor('bincount', this, null, length);
  }

  // What networks use

  relu(): Tensor {
    return callTensor('relu', this);
  }
  /** x where positive, slope·x elsewhere. */
  leakyRelu(slope: number): Tensor {
    return callTensor('leaky_relu', this, slope);
  }
  softmax(dim: number): Tensor {
    return callTensor('softmax.int', this, dim);
  }
  logSoftmax(dim: number): Tensor {
    return callTensor('log_softmax.int', this, dim);
  }

  // In place; each returns the tensor itself

  addInPlace(other: Tensor | number, scale = 1): this {
    callInPlace(typeof other === 'number' ? 'add_.Scalar' : 'add_.Tensor', this, other, scale);
    return this;
  }
  mulInPlace(other: Tensor | number): this {
    callInPlace(typeof other === 'number' ? 'mul_.Scalar' : 'mul_.Tensor', this, other);
    return this;
  }
  copyInPlace(source: Tensor): this {
    callInPlace('copy_', this, source);
    return this;
  }
  /** Replaces the entries of dimension `dim` at `indices` (int64, 1-d) by those of `source`. */
  indexCopyInPlace(dim: number, indices: Tensor, source: Tensor): this {
    callInPlace('index_copy_', this, dim, indices, source);
    return this;
  }
  fillInPlace(value: number): this {
    callInPlace('fill_.Scalar', this, value);
    return this;
  }
}

/** Calls an operator (`add.Tensor`, `featmatch::…`) that returns one tensor. */
export function callTensor(name: string, ...args: Argument[]): Tensor {
  return new Tensor(callOperator(name, args) as Handle);
}

/** Calls an operator that returns several tensors, or a list of them. */
export function callTensors(name: string, ...args: Argument[]): Tensor[] {
  return (callOperator(name, args) as Handle[]).map((handle) => new Tensor(handle));
}

/** Calls an operator that works in place. */
export function callInPlace(name: string, ...args: Argument[]): void {
  callOperator(name, args);
}
