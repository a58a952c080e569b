import { z } from 'zod';
import { labeledViews, labelSource, temperature, threshold } from '../options.js';

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

/** What AugF and its prototypes take as a part of any method that learns strong views from weak ones. */
const component = {
  lambdaG: weight().default(1).describe('weight of the consistency of augmented features, λ_g (7)'),
  lambdaF: weight().default(1).describe('weight of the consistency of plain features, λ_f (7)'),
  plainLabeledWeight: weight()
    .default(1)
    .describe('weight of H(y, Clf(Enc(x))), which the paper does not have, beside (6)'),
  ...augmentationOptions({ heads: 1, attentionDropout: 0, extractEvery: 400 }),
  warmupSteps: z.int().min(0).default(200).describe('steps before the first prototypes, without AugF'),
};

export const componentOptions = z.strictObject(component);

export type ComponentOptions = z.output<typeof componentOptions>;

/** FeatMatch's hyper-parameters; the paper's symbols in the descriptions. */
export const featMatchOptions = z.strictObject({
  strongViews: z.int().min(1).default(1).describe('strong views of each unlabeled image, K'),
  ...labeledViews({ weak: 0, strong: 1 }),
  ...component,
  rampSteps: z.int().min(0).default(0).describe('steps over which λ_g and λ_f grow linearly from 0'),
  pseudoLabels: labelSource('average'),
  temperature: temperature(0.5),
  threshold: threshold(0),
  adaptiveThreshold: z
    .boolean()
    .default(false)
    .describe("FreeMatch's self-adaptive thresholds instead of a fixed one"),
  distributionAlignment: z
    .boolean()
    .default(true)
    .describe("ReMixMatch's alignment of pseudo-labels to the classes' shares among the labeled images"),
});

export type FeatMatchOptions = z.output<typeof featMatchOptions>;
