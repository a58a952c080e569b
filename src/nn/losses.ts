/** Losses over class logits or probabilities (N, classes). */
import { oneHot, type Tensor, tidy } from '../tensor/index.js';

/** H(p, softmax(logits)) = −Σ_c p_c log softmax(logits)_c per row → (N). @param targets probabilities (N, classes) */
export function crossEntropyPerRow(logits: Tensor, targets: Tensor): Tensor {
  return tidy(() => logits.logSoftmax(1).mul(targets).sum([1]).neg());
}

/** The mean of H over rows. @param targets probabilities (N, classes), or classes (N) as int64 */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  return tidy(() => {
    const probabilities = targets.dtype === 'int64' ? oneHot(targets, logits.shape[1]) : targets;
    return crossEntropyPerRow(logits, probabilities).mean();
  });
}

/** KL(p ‖ softmax(logits)) = Σ_c p_c (log p_c − log softmax(logits)_c) per row → (N). @param targets p (N, classes) */
export function klDivergencePerRow(logits: Tensor, targets: Tensor): Tensor {
  return tidy(() => {
    const logTargets = targets.clamp(1e-37, null).log(); // 0·log 0 = 0
    return targets.mul(logTargets.sub(logits.logSoftmax(1))).sum([1]);
  });
}

/** The mean of (p − q)² over rows and classes. */
export function meanSquaredError(probabilities: Tensor, targets: Tensor): Tensor {
  return tidy(() => probabilities.sub(targets).pow(2).mean());
}
