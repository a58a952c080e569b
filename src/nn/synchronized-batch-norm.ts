/** Batch normalization over what several processes have together. */
import { type BatchNormOptions, concatenate, full, noGrad, type Tensor, tidy } from '../tensor/index.js';

/** Σ over all processes, differentiable: gradients are summed likewise. */
export type SumOverProcesses = (x: Tensor) => Tensor;

/**
 * Batch normalization in training of (N, C, …) by the mean and variance of all processes' batches (Peng et al. 2018,
 * section 3.3): one sum over the processes forward, of Σx, Σx² and the number of elements, and one backward. Σ is of
 * x − running mean, which all processes have alike, against cancellation.
 */
export function synchronizedBatchNorm(
  input: Tensor,
  options: Omit<BatchNormOptions, 'training'>,
  sum: SumOverProcesses,
): Tensor {
  return tidy(() => {
    const { weight, bias, runningMean, runningVariance, momentum, epsilon } = options;
    const [, channels, ...sides] = input.shape;
    const others = [0, ...sides.map((_, side) => side + 2)];
    const perChannel = (values: Tensor) => values.reshape(1, channels, ...sides.map(() => 1));

    const centered = input.sub(perChannel(runningMean));
    const count = full([1], input.size / channels, { dtype: input.dtype });
    const sums = sum(concatenate([centered.sum(others), centered.pow(2).sum(others), count])); // (2C + 1)
    const [first, second, total] = sums.split([channels, channels, 1]);
    const mean = first.div(total); // of what is centered
    const variance = second.div(total).sub(mean.pow(2)).clamp(0, null);
    const scale = weight.div(variance.add(epsilon).sqrt());
    const offset = bias.sub(mean.mul(scale));
    const output = centered.mul(perChannel(scale)).add(perChannel(offset));
    noGrad(() => {
      const unbiased = variance.mul(total).div(total.sub(1).clamp(1, null));
      runningMean.addInPlace(mean, momentum);
      runningVariance.mulInPlace(1 - momentum).addInPlace(unbiased, momentum);
    });
    return output;
  });
}
