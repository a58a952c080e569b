/** The layers that the networks here are made of. Images are (N, C, H, W). */
import {
  batchNorm,
  batchNormRelu,
  bernoulli,
  conv2d,
  conv3x3,
  convolutionAlgorithm,
  type Generator,
  keep,
  linear,
  normalizedConv3x3,
  ones,
  type Tensor,
  tidy,
  zeros,
} from '../tensor/index.js';
import {
  fanInUniform,
  glorotNormal,
  heNormal,
  type InitializeOptions,
  oneParameter,
  zeroParameter,
} from './initialize.js';
import { Module } from './module.js';
import { type SumOverProcesses, synchronizedBatchNorm } from './synchronized-batch-norm.js';

export class Conv2d extends Module {
  readonly weight: Tensor; // (out, in, size, size)
  readonly bias: Tensor | null;
  private readonly stride: number;
  private readonly padding: number;
  /** size 3, stride 1, padding 1 */
  readonly isPlain3x3: boolean;

  /** Initialized as He et al. 2015 (fan-out), biases zero. */
  constructor(
    inputs: number,
    outputs: number,
    options: InitializeOptions & { size: number; stride?: number; padding?: number; bias?: boolean },
  ) {
    super();
    const { size, stride = 1, padding = 0, bias = false } = options;
    this.weight = heNormal([outputs, inputs, size, size], options);
    this.bias = bias ? zeroParameter([outputs], options.dtype) : null;
    this.stride = stride;
    this.padding = padding;
    this.isPlain3x3 = size === 3 && stride === 1 && padding === 1;
  }

  forward(input: Tensor): Tensor {
    if (this.isPlain3x3) return conv3x3(input, this.weight, this.bias);
    return conv2d(input, this.weight, { bias: this.bias, stride: this.stride, padding: this.padding });
  }
}

/**
 * convolution(relu(norm(input))) + addend. Where the convolution is 3×3 with stride 1, that is one operator, and the map
 * between them is never stored; not so with statistics of several processes. @param addend (N, out, H', W')
 */
export function normalizedConvolution(
  norm: BatchNorm2d,
  convolution: Conv2d,
  input: Tensor,
  addend: Tensor | null = null,
): Tensor {
  const { weight, bias, isPlain3x3 } = convolution;
  if (isPlain3x3 && convolutionAlgorithm() === 'winograd' && !norm.isSynchronized)
    return normalizedConv3x3(input, norm.options(), { weight, bias, addend });
  return tidy(() => {
    const output = convolution.forward(norm.forwardRelu(input));
    return addend === null ? output : output.addInPlace(addend); // no backward pass reads a convolution's output
  });
}

let movesStatistics = true;

/** Runs `body` while batch normalization takes the statistics of its batches, as in training, but remembers none. */
export function withFrozenStatistics<T>(body: () => T): T {
  const before = movesStatistics;
  movesStatistics = false;
  try {
    return body();
  } finally {
    movesStatistics = before;
  }
}

export class BatchNorm2d extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly running_mean: Tensor; // PyTorch's names
  readonly running_var: Tensor;
  private readonly momentum: number;
  private readonly epsilon: number;
  private sumOverProcesses: SumOverProcesses | null = null;

  /** @param options.momentum weight of a batch in the running statistics */
  constructor(
    channels: number,
    options: { momentum?: number; epsilon?: number; dtype?: InitializeOptions['dtype'] } = {},
  ) {
    super();
    const { momentum = 0.1, epsilon = 1e-5, dtype } = options;
    this.weight = oneParameter([channels], dtype);
    this.bias = zeroParameter([channels], dtype);
    this.running_mean = keep(zeros([channels], { dtype }));
    this.running_var = keep(ones([channels], { dtype }));
    this.momentum = momentum;
    this.epsilon = epsilon;
  }

  forward(input: Tensor): Tensor {
    return this.synchronized(input) ?? batchNorm(input, this.options());
  }

  /** relu(forward(input)), fused: one pass over the memory less, forward and backward. */
  forwardRelu(input: Tensor): Tensor {
    return this.synchronized(input)?.relu() ?? batchNormRelu(input, this.options());
  }

  /** From now on a batch is what all processes have together. */
  synchronize(sum: SumOverProcesses): void {
    this.sumOverProcesses = sum;
  }

  /** Whether the next batch takes its statistics from all processes. */
  get isSynchronized(): boolean {
    return this.sumOverProcesses !== null && this.training;
  }

  private synchronized(input: Tensor): Tensor | undefined {
    if (this.sumOverProcesses === null || !this.training) return undefined;
    return synchronizedBatchNorm(input, this.options(), this.sumOverProcesses);
  }

  options() {
    return {
      weight: this.weight,
      bias: this.bias,
      runningMean: this.running_mean,
      runningVariance: this.running_var,
      training: this.training,
      momentum: movesStatistics ? this.momentum : 0,
      epsilon: this.epsilon,
    };
  }
}

/** Makes all batch normalization in a network take the statistics of all processes' batches together. */
export function synchronizeBatchNorm(network: Module, sum: SumOverProcesses): void {
  for (const module of network.modules()) if (module instanceof BatchNorm2d) module.synchronize(sum);
}

/** The running statistics in a network, which follow from the batches and not from gradients. */
export function runningStatistics(network: Module): Tensor[] {
  return [...network.modules()].flatMap((module) =>
    module instanceof BatchNorm2d ? [module.running_mean, module.running_var] : [],
  );
}

export class Linear extends Module {
  readonly weight: Tensor; // (out, in)
  readonly bias: Tensor;

  /** @param options.initialization `glorot`: Glorot normal and zero biases; `fan-in`: PyTorch's default */
  constructor(
    inputs: number,
    outputs: number,
    options: InitializeOptions & { initialization?: 'glorot' | 'fan-in' },
  ) {
    super();
    if (options.initialization === 'glorot') {
      this.weight = glorotNormal([outputs, inputs], options);
      this.bias = zeroParameter([outputs], options.dtype);
    } else {
      this.weight = fanInUniform([outputs, inputs], inputs, options);
      this.bias = fanInUniform([outputs], inputs, options);
    }
  }

  forward(input: Tensor): Tensor {
    return linear(input, this.weight, this.bias);
  }
}

/** While training, sets elements to zero with probability `rate` and scales the others by 1/(1 − rate). */
export class Dropout extends Module {
  constructor(
    private readonly rate: number,
    private readonly generator: Generator,
  ) {
    super();
    if (!(rate >= 0 && rate < 1)) throw new RangeError(`a dropout rate is in [0, 1), not ${rate}`);
  }

  forward(input: Tensor): Tensor {
    if (!this.training || this.rate === 0) return input;
    return tidy(() => {
      const kept = bernoulli(input.shape, 1 - this.rate, { generator: this.generator, dtype: input.dtype });
      return input.mul(kept.mulInPlace(1 / (1 - this.rate)));
    });
  }
}
