import type { TypedArray } from './native.js';

/** libtorch's scalar types, with their numbers in its schemas. */
const dtypeCodes = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  bool: 11,
  bfloat16: 15,
} as const;

export type DType = keyof typeof dtypeCodes;
/** `channels-last` stores N×C×H×W tensors as N, H, W, C: what convolutions on CPUs prefer. */
export type MemoryFormat = 'contiguous' | 'preserve' | 'channels-last';
/** `cpu`, `cuda` or `cuda:<index>` */
export type Device = string;

const memoryFormatCodes = { contiguous: 0, preserve: 1, 'channels-last': 2 } as const;
const dtypeNames = new Map(Object.entries(dtypeCodes).map(([name, code]) => [code as number, name as DType]));

export const dtypeCode = (dtype: DType): number => dtypeCodes[dtype];
export const dtypeName = (code: number): DType => {
  const name = dtypeNames.get(code);
  if (name === undefined)
    throw new Error(`a tensor of libtorch's scalar type ${code} has no counterpart here`);
  return name;
};
/** @throws RangeError where `device` has another form */
export const checkedDevice = (device: Device): Device => {
  if (!/^(cpu|cuda(:\d{1,2})?)$/.test(device))
    throw new RangeError(`a device is 'cpu', 'cuda' or 'cuda:<index>', not '${device}'`);
  return device;
};
export const memoryFormatCode = (format: MemoryFormat): number => memoryFormatCodes[format];

/** The typed array that holds `dtype`: booleans as bytes, 16-bit floats as their bits. */
const arrayTypes = {
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
  bool: Uint8Array,
  bfloat16: Uint16Array,
} as const;

export function newArray(dtype: DType, length: number): TypedArray<ArrayBuffer> {
  return new arrayTypes[dtype](length);
}

export function dtypeOf(array: TypedArray): DType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Uint8Array) return 'uint8';
  if (array instanceof Int32Array) return 'int32';
  if (array instanceof Float64Array) return 'float64';
  if (array instanceof BigInt64Array) return 'int64';
  if (array instanceof Int16Array) return 'int16';
  if (array instanceof Int8Array) return 'int8';
  if (array instanceof Uint16Array)
    throw new TypeError('a Uint16Array holds the bits of 16-bit floats: name the dtype, float16 or bfloat16');
  const name = (array as ArrayBufferView).constructor.name;
  throw new TypeError(
    `libtorch has no type for the elements of a ${name}: convert it, for example to a Float32Array`,
  );
}
