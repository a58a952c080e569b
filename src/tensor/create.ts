/** New tensors, and those made of several. */
import { defaultDevice } from './engine.js';
import type { Generator } from './generator.js';
import { native, type TypedArray } from './native.js';
import { callInPlace, callTensor, Tensor } from './tensor.js';
import { checkedDevice, type Device, type DType, dtypeCode, dtypeOf } from './types.js';

export interface TensorOptions {
  /** default: float32 */
  readonly dtype?: DType;
  /** default: that of {@link setDevice} */
  readonly device?: Device;
}

/**
 * A tensor with a copy of the numbers. Arrays of numbers become float32 and typed arrays keep their type, unless
 * `dtype` says otherwise: then the numbers are converted. Only a Uint16Array is taken as the bits of 16-bit floats.
 * @param shape row-major; default: one dimension
 * @throws RangeError where the shape and the number of elements disagree
 */
export function tensor(
  data: TypedArray | readonly number[],
  shape: readonly number[] = [data.length],
  dtype?: DType,
): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== data.length) {
    throw new RangeError(
      `a tensor of shape [${shape.join(', ')}] has ${size} elements, but ${data.length} were given`,
    );
  }
  const isTyped = ArrayBuffer.isView(data);
  const array = isTyped ? data : Float64Array.from(data);
  const wanted = dtype ?? (isTyped ? dtypeOf(data) : 'float32');
  const isBits = array instanceof Uint16Array && (wanted === 'float16' || wanted === 'bfloat16');
  const given = isBits ? wanted : dtypeOf(array);
  const result = new Tensor(native().fromData(array, dtypeCode(given), shape));
  if (given === wanted) return placed(result);
  const converted = result.to(wanted);
  result.dispose();
  return placed(converted);
}

/** Moves what was made on the CPU to where new tensors are. */
function placed(made: Tensor, device = defaultDevice()): Tensor {
  if (device === 'cpu') return made;
  const moved = made.toDevice(device);
  made.dispose();
  return moved;
}

/** A tensor of no dimensions. */
export function scalar(value: number, dtype: DType = 'float32'): Tensor {
  return tensor([value], [], dtype);
}

export function full(shape: readonly number[], value: number, options: TensorOptions = {}): Tensor {
  const { dtype = 'float32', device = defaultDevice() } = options;
  const where = device === 'cpu' ? null : checkedDevice(device); // libtorch's own default
  return callTensor('full', shape, value, dtypeCode(dtype), null, where);
}

export function zeros(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

export function ones(shape: readonly number[], options: TensorOptions = {}): Tensor {
  return full(shape, 1, options);
}

/** 0, 1, …, count − 1 as int64. */
export function arange(count: number): Tensor {
  return placed(callTensor('arange', count, dtypeCode('int64')));
}

/** Uniform in [low, high). */
export function uniform(
  shape: readonly number[],
  low: number,
  high: number,
  options: TensorOptions & { generator: Generator },
): Tensor {
  const result = zeros(shape, { ...options, device: 'cpu' });
  callInPlace('uniform_', result, low, high, options.generator);
  return placed(result, options.device);
}

/** Normal with the given mean and standard deviation. */
export function normal(
  shape: readonly number[],
  mean: number,
  standardDeviation: number,
  options: TensorOptions & { generator: Generator },
): Tensor {
  const result = zeros(shape, { ...options, device: 'cpu' });
  callInPlace('normal_', result, mean, standardDeviation, options.generator);
  return placed(result, options.device);
}

/** 1 with the given probability, else 0. */
export function bernoulli(
  shape: readonly number[],
  probability: number,
  options: TensorOptions & { generator: Generator },
): Tensor {
  const result = zeros(shape, { ...options, device: 'cpu' });
  callInPlace('bernoulli_.float', result, probability, options.generator);
  return placed(result, options.device);
}

/** Indices drawn with replacement, in proportion to each row's weights: (rows, N) → (rows, count), int64. */
export function multinomial(weights: Tensor, count: number, generator: Generator): Tensor {
  const here = weights.toDevice('cpu');
  const drawn = callTensor('multinomial', here, count, true, generator);
  here.dispose();
  return placed(drawn);
}

/** 0, 1, …, count − 1 in random order, int64. */
export function randomPermutation(count: number, generator: Generator): Tensor {
  return placed(callTensor('randperm.generator', count, generator, dtypeCode('int64')));
}

/** A number from Beta(α, β), both positive. */
export function sampleBeta(alpha: number, beta: number, generator: Generator): number {
  const numbers = Float64Array.of(alpha, beta);
  const parameters = new Tensor(native().fromData(numbers, dtypeCode('float64'), [1, 2])); // on the CPU
  const shares = callTensor('_sample_dirichlet', parameters, generator);
  const [first] = shares.data() as Float64Array;
  for (const made of [parameters, shares]) made.dispose();
  return first;
}

/** Joins along an existing dimension. */
export function concatenate(tensors: readonly Tensor[], dim = 0): Tensor {
  return callTensor('cat', tensors, dim);
}

/** Joins along a new dimension. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  return callTensor('stack', tensors, dim);
}

/** Elements of `whenTrue` where `condition` (bool), else of `whenFalse`. */
export function where(condition: Tensor, whenTrue: Tensor, whenFalse: Tensor): Tensor {
  return callTensor('where.self', condition, whenTrue, whenFalse);
}

/** float32 rows of zeros with a one at the class. @param indices int64, any shape → (…, classes) */
export function oneHot(indices: Tensor, classes: number): Tensor {
  const integers = callTensor('one_hot', indices, classes);
  const result = integers.to('float32');
  integers.dispose();
  return result;
}
