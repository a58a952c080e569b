/** Operators of neural networks that take parameters. Layouts: images (N, C, H, W), features (N, C). */
import { convolutionAlgorithm } from './engine.js';
import { callInPlace, callTensor, type Tensor } from './tensor.js';

/** x Wᵀ + b. @param input (…, in) @param weight (out, in) @param bias (out) or null → (…, out) */
export function linear(input: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  return callTensor('linear', input, weight, bias);
}

/** Cross-correlation with zero padding. @param weight (out, in, kh, kw) → (N, out, H', W') */
export function conv2d(
  input: Tensor,
  weight: Tensor,
  options: { bias?: Tensor | null; stride?: number; padding?: number } = {},
): Tensor {
  const { bias = null, stride = 1, padding = 0 } = options;
  return callTensor('conv2d', input, weight, bias, [stride, stride], [padding, padding]);
}

/**
 * conv2d with 3×3 weights, stride 1 and padding 1, as {@link setConvolutionAlgorithm} says. Winograd's way serves
 * float32 maps in channels-last layout with multiples of 8 channels on a CPU with AVX2, and cannot be differentiated
 * twice; elsewhere it is conv2d itself. @param weight (out, in, 3, 3) @param bias (out) or null → (N, out, H, W)
 */
export function conv3x3(input: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  if (convolutionAlgorithm() === 'direct') return conv2d(input, weight, { bias, padding: 1 });
  return callTensor('featmatch::conv3x3', input, weight, bias);
}

export interface BatchNormOptions {
  readonly weight: Tensor;
  readonly bias: Tensor;
  /** moved in place while training */
  readonly runningMean: Tensor;
  /** moved in place while training; unbiased */
  readonly runningVariance: Tensor;
  /** true: normalize by the batch's own statistics; false: by the running ones */
  readonly training: boolean;
  /** weight of the batch in the running statistics */
  readonly momentum: number;
  readonly epsilon: number;
}

/** In the order of libtorch's batch_norm, which the fused operators keep. */
function argumentsOf(options: BatchNormOptions) {
  const { weight, bias, runningMean, runningVariance, training, momentum, epsilon } = options;
  return [weight, bias, runningMean, runningVariance, training, momentum, epsilon] as const;
}

/** Batch normalization per channel (Ioffe and Szegedy 2015) of (N, C, …). */
export function batchNorm(input: Tensor, options: BatchNormOptions): Tensor {
  return callTensor('batch_norm', input, ...argumentsOf(options), false);
}

/** relu(batchNorm(input)) in fewer passes over the memory; the same numbers up to rounding. */
export function batchNormRelu(input: Tensor, options: BatchNormOptions): Tensor {
  return callTensor('featmatch::batch_norm_relu', input, ...argumentsOf(options));
}

/**
 * conv3x3(batchNormRelu(input)) + addend by Winograd's way, without storing what is between. The same numbers up to
 * rounding; where that way does not serve, the operators one after another.
 * @param convolution.addend (N, out, H, W) or null
 */
export function normalizedConv3x3(
  input: Tensor,
  options: BatchNormOptions,
  convolution: { weight: Tensor; bias: Tensor | null; addend: Tensor | null },
): Tensor {
  return callTensor(
    'featmatch::normalized_conv3x3',
    input,
    ...argumentsOf(options),
    convolution.weight,
    convolution.bias,
    convolution.addend,
  );
}

export function maxPool2d(
  input: Tensor,
  size: number,
  options: { stride?: number; padding?: number } = {},
): Tensor {
  const { stride = size, padding = 0 } = options;
  return callTensor('max_pool2d', input, [size, size], [stride, stride], [padding, padding]);
}

/** The mean over height and width: (N, C, H, W) → (N, C). */
export function globalAveragePool(input: Tensor): Tensor {
  return callTensor('mean.dim', input, [2, 3], false);
}

// Lists of tensors in one call each; what optimizers and averages of weights are made of.

/** a_i ← a_i + scale·b_i */
export function addEachInPlace(tensors: readonly Tensor[], others: readonly Tensor[], scale = 1): void {
  callInPlace('_foreach_add_.List', tensors, others, scale);
}
export interface SgdStep {
  /** η */
  readonly learningRate: number;
  /** μ */
  readonly momentum: number;
  readonly nesterov: boolean;
  /** λ of the L2 penalty, on every parameter */
  readonly weightDecay: number;
}

/**
 * d = g + λθ; v ← μv + d; θ ← θ − η·(d + μv with Nesterov, else v), for each parameter θ.
 * @param gradients g, which may be changed
 * @param velocities v; none where μ is 0
 */
export function sgdInPlace(
  parameters: readonly Tensor[],
  gradients: readonly Tensor[],
  velocities: readonly Tensor[],
  { learningRate, momentum, nesterov, weightDecay }: SgdStep,
): void {
  callInPlace(
    'featmatch::sgd_',
    parameters,
    gradients,
    velocities,
    learningRate,
    momentum,
    nesterov,
    weightDecay,
  );
}

/** a_i ← factor·a_i */
export function mulEachInPlace(tensors: readonly Tensor[], factor: number): void {
  callInPlace('_foreach_mul_.Scalar', tensors, factor);
}
