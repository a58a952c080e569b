/** Initial values of parameters. Shapes: convolution (out, in, kh, kw), linear (out, in). */
import {
  type DType,
  type Generator,
  keep,
  normal,
  ones,
  type Tensor,
  uniform,
  zeros,
} from '../tensor/index.js';

export interface InitializeOptions {
  readonly generator: Generator;
  readonly dtype?: DType;
}

const product = (numbers: readonly number[]) => numbers.reduce((a, b) => a * b, 1);

/** Makes a kept leaf that requires a gradient. */
export function parameter(tensor: Tensor): Tensor {
  tensor.requiresGrad = true;
  return keep(tensor);
}

/** He et al. 2015, fan-out: N(0, 2 / ((1 + slope²)·out·kh·kw)), for layers that a rectifier follows. */
export function heNormal(shape: readonly number[], options: InitializeOptions & { slope?: number }): Tensor {
  const { slope = 0 } = options;
  const fanOut = shape[0] * product(shape.slice(2));
  return parameter(normal(shape, 0, Math.sqrt(2 / ((1 + slope * slope) * fanOut)), options));
}

/** Glorot and Bengio 2010: N(0, 2 / (in + out)). */
export function glorotNormal(shape: readonly number[], options: InitializeOptions): Tensor {
  const receptiveField = product(shape.slice(2));
  return parameter(normal(shape, 0, Math.sqrt(2 / ((shape[0] + shape[1]) * receptiveField)), options));
}

/** U(−1/√in, 1/√in): PyTorch's initialization of linear layers, weight and bias. */
export function fanInUniform(shape: readonly number[], fanIn: number, options: InitializeOptions): Tensor {
  const bound = 1 / Math.sqrt(fanIn);
  return parameter(uniform(shape, -bound, bound, options));
}

export const zeroParameter = (shape: readonly number[], dtype?: DType): Tensor =>
  parameter(zeros(shape, { dtype }));
export const oneParameter = (shape: readonly number[], dtype?: DType): Tensor =>
  parameter(ones(shape, { dtype }));
