/** Hyper-parameters that several algorithms have. The symbols are the papers'. */
import { z } from 'zod';
import type { Passes } from './algorithm.js';

const views = (count: number) => z.int().min(0).default(count);

/** @param defaults how many views of each kind an image has */
export const labeledViews = (defaults: { weak: number; strong: number }) => ({
  labeledWeakViews: views(defaults.weak).describe('weak views of each labeled image'),
  labeledStrongViews: views(defaults.strong).describe('strong views of each labeled image'),
});

export interface LabeledViews {
  readonly labeledWeakViews: number;
  readonly labeledStrongViews: number;
}

export const viewsOfLabeled = ({ labeledWeakViews, labeledStrongViews }: LabeledViews) => ({
  weak: labeledWeakViews,
  strong: labeledStrongViews,
});

/** All views of a labeled image learn. */
export const passesOfLabeled = ({ labeledWeakViews, labeledStrongViews }: LabeledViews): Passes => ({
  learning: labeledWeakViews + labeledStrongViews,
  guessing: 0,
});

/** @param symbol the paper's name of it */
export const unlabeledWeight = (weight: number, symbol: string) =>
  z.number().nonnegative().default(weight).describe(`weight of the loss of unlabeled images, ${symbol}`);

export const rampShare = (share: number) =>
  z
    .number()
    .min(0)
    .max(1)
    .default(share)
    .describe('share of training over which that weight grows from 0; 0 = none');

export const threshold = (value: number) =>
  z
    .number()
    .min(0)
    .max(1)
    .default(value)
    .describe('confidence below which a pseudo-label does not count, τ; 0 = all count');

/** @param symbol the paper's name of it */
export const decay = (value: number, of: string) =>
  z.number().min(0).lt(1).default(value).describe(`decay of the moving average of ${of}`);

export const temperature = (value: number) =>
  z.number().min(0).max(1).default(value).describe('sharpening of pseudo-labels, T; 1 = none, 0 = one-hot');

export const mixupAlpha = (value: number) =>
  z.number().positive().default(value).describe('mixup draws λ from Beta(α, α), α');

export type LabelSource = 'joint' | 'no-grad' | 'average';

export const labelSource = (source: LabelSource) =>
  z
    .enum(['joint', 'no-grad', 'average'])
    .default(source)
    .describe(
      'what makes pseudo-labels: the training pass itself; a pass of its own over the weak views without gradients; ' +
        'or the average of the weights (needs ema.decay)',
    );

export const labeledMixupAlpha = (value: number) =>
  z.number().nonnegative().default(value).describe('the same of the labeled images; 0 = they are not mixed');
