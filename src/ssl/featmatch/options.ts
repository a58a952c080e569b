import { z } from 'zod';

const weight = () => z.number().nonnegative();

/** The hyper-parameters of AugF and its prototypes, which the paper's form and the published one share. */
export const augmentationOptions = (defaults: {
  heads: number;
  attentionDropout: number;
  extractEvery: number;
}) => ({
  heads: z.int().min(1).default(defaults.heads).describe('attention heads of AugF'),
  scaleAttention: z.boolean().default(true).describe('divide attention scores by √d'),
  attentionDropout: z
    .number()
    .min(0)
    .lt(1)
    .default(defaults.attentionDropout)
    .describe('dropout on attention weights'),
  prototypesPerClass: z.int().min(1).default(20).describe('prototypes of each class, p_k'),
  labeledRatio: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('share of the prototypes made from labeled features'),
  extractEvery: z
    .int()
    .min(1)
    .default(defaults.extractEvery)
    .describe('steps between extractions of prototypes'),
});

/** FeatMatch's hyper-parameters; the paper's symbols in the descriptions. */
export const featMatchOptions = z.strictObject({
  strongViews: z.int().min(1).default(1).describe('strong views of each unlabeled image, K'),
  labeledWeakViews: z.int().min(0).default(0).describe('weak views of each labeled image'),
  labeledStrongViews: z.int().min(0).default(1).describe('strong views of each labeled image'),

  lambdaG: weight().default(1).describe('weight of the consistency of augmented features, λ_g (7)'),
  lambdaF: weight().default(1).describe('weight of the consistency of plain features, λ_f (7)'),
  plainLabeledWeight: weight()
    .default(1)
    .describe('weight of H(y, Clf(Enc(x))), which the paper does not have, beside (6)'),
  rampSteps: z.int().min(0).default(0).describe('steps over which λ_g and λ_f grow linearly from 0'),

  pseudoLabels: z
    .enum(['joint', 'no-grad', 'average'])
    .default('average')
    .describe(
      'what makes pseudo-labels: the training pass itself; a pass of its own over the weak views without gradients; ' +
        'or the average of the weights (needs ema.decay)',
    ),
  temperature: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('sharpening of pseudo-labels, T; 1 = none, 0 = one-hot'),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('confidence below which a pseudo-label does not count, τ; 0 = all count'),
  adaptiveThreshold: z
    .boolean()
    .default(false)
    .describe("FreeMatch's self-adaptive thresholds instead of a fixed one"),
  distributionAlignment: z
    .boolean()
    .default(true)
    .describe("ReMixMatch's alignment of pseudo-labels to the classes' shares among the labeled images"),

  ...augmentationOptions({ heads: 1, attentionDropout: 0, extractEvery: 400 }),
  warmupSteps: z.int().min(0).default(200).describe('steps before the first prototypes, without AugF'),
});

export type FeatMatchOptions = z.output<typeof featMatchOptions>;
