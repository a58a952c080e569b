/** Names of an exported graph's input and outputs: what a program that uses the file refers to. */
export const PORTS = {
  /** (N, height, width, channels), uint8 */
  pixels: 'pixels',
  /** (N, classes): softmax Clf(AugF(f)), or softmax Clf(f) without AugF */
  probabilities: 'probabilities',
  /** (N, classes), with AugF only: softmax Clf(f) */
  plainProbabilities: 'plain_probabilities',
  /** f (N, f_dim) */
  features: 'features',
  /** (N): cosine of f and the feature of the training image that is nearest to it, of those the file keeps */
  similarity: 'similarity',
  /** (N, heads, P), with AugF only: w of equation 1 */
  attention: 'attention',
} as const;
