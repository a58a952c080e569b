/**
 * Learning strong views from weak ones, which Pseudo-Label, UDA, FixMatch, FlexMatch, FreeMatch, SoftMatch and FeatMatch
 * share: the network's guess q_b on a weak view of an unlabeled image becomes a target q̂_b with a weight w_b,
 *
 *     L = 1/B Σ_b H(y_b, p(x_b)) + λ_u · 1/μB Σ_b w_b H(q̂_b, p(A(u_b)))        (FixMatch, Sohn et al. 2020, eq. 3 and 4)
 *
 * A method is its rule from q to q̂ and w. With FeatMatch's AugF both terms are of augmented and of plain features.
 */
import { z } from 'zod';
import { InputError } from '../errors.js';
import { crossEntropy, crossEntropyPerRow } from '../nn/index.js';
import { concatenate, noGrad, type Tensor, tidy } from '../tensor/index.js';
import type { Algorithm, Learner, LearnerContext } from './algorithm.js';
import { type Batch, repeatPerView } from './batch.js';
import { createFeaturePaths } from './featmatch/feature-paths.js';
import { FeatMatchNetwork } from './featmatch/network.js';
import { type ComponentOptions, componentOptions } from './featmatch/options.js';
import {
  type LabeledViews,
  type LabelSource,
  labeledViews,
  labelSource,
  passesOfLabeled,
  unlabeledWeight,
  viewsOfLabeled,
} from './options.js';
import { copyState } from './state.js';

/** q̂ (N, classes) and w (N). */
export interface PseudoLabels {
  readonly targets: Tensor;
  readonly weights: Tensor;
}

/** How a method labels images. */
export interface LabelingRule {
  /**
   * From q (N, classes) of unlabeled images, and which they are (N); without gradients, inside `tidy`. A rule that remembers
   * something is given those of all processes, one that does not only this one's.
   */
  label(q: Tensor, unlabeledIndices: Tensor): PseudoLabels;
  /** A term of the loss beside consistency, of logits (N, classes) of what learns and the weights (N) of its labels. */
  regularize?(logits: Tensor, weights: Tensor): Tensor;
  /** What it remembers; changed in place only. */
  state?(): Map<string, Tensor>;
}

interface LearnerOptions {
  readonly rule: LabelingRule;
  /** λ_u at a step */
  unlabeledWeight(step: number): number;
  readonly pseudoLabels: LabelSource;
  readonly augmentation: ComponentOptions | null;
  readonly divergence?: Divergence;
}

/** The distance of logits (N, classes) from targets (N, classes), for each row (N). */
type Divergence = (logits: Tensor, targets: Tensor) => Tensor;

/** The hyper-parameters that the methods share, with the authors' values. */
export const weakToStrongOptions = {
  ...labeledViews({ weak: 1, strong: 0 }),
  strongViews: z.int().min(1).default(1).describe('strong views of each unlabeled image'),
  unlabeledWeight: unlabeledWeight(1, 'λ_u'),
  pseudoLabels: labelSource('joint'),
  augmentation: componentOptions
    .nullable()
    .default(null)
    .describe(
      "FeatMatch's AugF and prototypes on top, with these settings of algorithm featmatch; {} = their defaults, null = none",
    ),
};

interface Options extends LabeledViews {
  /** without any, what learns is the weak view */
  readonly strongViews?: number;
  readonly unlabeledWeight: number;
  readonly pseudoLabels: LabelSource;
  readonly augmentation: ComponentOptions | null;
}

/** Strong views learn, or the weak one where there are none. It guesses in the same pass, or in one of its own. */
export function passesFromWeakToStrong(options: Omit<Options, 'unlabeledWeight' | 'augmentation'>) {
  const { strongViews = 0, pseudoLabels } = options;
  const unlabeled =
    pseudoLabels === 'joint'
      ? { learning: 1 + strongViews, guessing: 0 }
      : { learning: Math.max(1, strongViews), guessing: 1 };
  return { labeled: passesOfLabeled(options), unlabeled };
}

interface Method<Own extends Options> {
  readonly title: string;
  readonly citation: string;
  readonly summary: string;
  readonly options: z.ZodObject;
  rule(options: Own, context: LearnerContext<FeatMatchNetwork>): LabelingRule;
  /** how much of λ_u is in force at a step; default: all of it */
  ramp?(options: Own, step: number, steps: number): number;
  /** default: H */
  readonly divergence?: Divergence;
}

/** The algorithm whose labels follow a rule. */
export function weakToStrong<Own extends Options>(method: Method<Own>): Algorithm<Own, FeatMatchNetwork> {
  const { title, citation, summary, options, rule, ramp = () => 1, divergence } = method;
  return {
    title,
    citation,
    summary,
    options,
    views: (own) => ({
      labeled: viewsOfLabeled(own),
      unlabeled: { weak: 1, strong: own.strongViews ?? 0 },
    }),
    passes: passesFromWeakToStrong,
    createNetwork: ({ augmentation }, context) => new FeatMatchNetwork(augmentation, context),
    createLearner: (own, context) =>
      createWeakToStrongLearner(context, {
        rule: rule(own, context),
        unlabeledWeight: (step) => own.unlabeledWeight * ramp(own, step, context.steps),
        pseudoLabels: own.pseudoLabels,
        augmentation: own.augmentation,
        divergence,
      }),
  };
}

/** @throws InputError where the options want an average of the weights and there is none */
export function createWeakToStrongLearner(
  context: LearnerContext<FeatMatchNetwork>,
  options: LearnerOptions,
): Learner<FeatMatchNetwork> {
  const { network, average, exchange } = context;
  const { rule, pseudoLabels: source, divergence = crossEntropyPerRow } = options;
  if (source === 'average' && average === null)
    throw new InputError(
      "algorithm.pseudoLabels is 'average', but no average of the weights is kept: set ema.decay, for example to 0.999",
    );
  const labeler = source === 'average' && average !== null ? average : network;
  const paths = createFeaturePaths(options.augmentation, context);

  function label(q: Tensor, unlabeledIndices: Tensor): PseudoLabels {
    if (rule.state === undefined) return rule.label(q, unlabeledIndices);
    const { targets, weights } = rule.label(exchange.gather(q), exchange.gather(unlabeledIndices));
    return { targets: exchange.own(targets), weights: exchange.own(weights) };
  }

  function loss({ labeled, labels, unlabeled, unlabeledIndices }: Batch, step: number) {
    // One forward pass over everything that gradients flow through; with `joint`, over the weak views as well.
    const isJoint = source === 'joint';
    const hasStrong = unlabeled.strong.shape[0] > 0; // without strong views the weak ones learn
    const learned = hasStrong ? unlabeled.strong : unlabeled.weak;
    const parts = [labeled.images, learned, ...(isJoint && hasStrong ? [unlabeled.weak] : [])];
    const features = network.encoder.forward(concatenate(parts)); // (rows, f_dim)
    const [f_labeled, f_learned, f_last = f_learned] = features.split(parts.map(({ shape }) => shape[0]));
    const f_weak = isJoint ? f_last.detach() : noGrad(() => labeler.encoder.forward(unlabeled.weak));

    const q = noGrad(() => paths.probabilities(labeler, f_weak));
    paths.record(f_weak, q, step);
    const { targets, weights } = noGrad(() => tidy(() => label(q, unlabeledIndices)));

    const y = repeatPerView(labels, labeled.images.shape[0] / labeled.count);
    const viewsLearned = learned.shape[0] / unlabeled.count;
    const q_hat = repeatPerView(targets, viewsLearned);
    const w = repeatPerView(weights, viewsLearned);
    const terms = paths.of(network, concatenate([f_labeled, f_learned])).map((path) => {
      const logits = network.classifier.forward(path.features);
      const [ofLabeled, ofLearned] = logits.split([f_labeled.shape[0], f_learned.shape[0]]);
      const lossClf = crossEntropy(ofLabeled, y);
      const lossCon = divergence(ofLearned, q_hat).mul(w).mean();
      return { path, ofLearned, lossClf, lossCon };
    });
    const [{ lossClf, ofLearned }] = terms;
    const lambda_u = options.unlabeledWeight(step);
    const extra = rule.regularize?.(ofLearned, w);
    const confidence = q.amax(1);
    const summands = [
      ...terms.map((term) => term.lossClf.mul(term.path.labeledWeight)),
      ...terms.map((term) => term.lossCon.mul(term.path.unlabeledWeight * lambda_u)),
      ...(extra === undefined ? [] : [extra]),
    ];
    const total = summands.reduce((sum, summand) => sum.add(summand));
    return {
      loss: total,
      metrics: {
        loss: total,
        lossClf,
        ...Object.fromEntries(terms.map((term) => [term.path.metric, term.lossCon])),
        ...(extra === undefined ? {} : { lossExtra: extra }),
        confidence: confidence.mean(),
        coverage: weights.mean(),
      },
      pseudoLabels: { classes: targets.argmax(1), confidence, weights },
    };
  }

  return {
    step(batch, step) {
      paths.prepare(labeler, step);
      return tidy(() => loss(batch, step));
    },
    predict: (evaluated, images) =>
      tidy(() => paths.probabilities(evaluated, evaluated.encoder.forward(images))),
    state: () => new Map([...paths.state(), ...(rule.state?.() ?? [])]),
    load(state) {
      copyState(rule.state?.() ?? new Map(), state);
      paths.load(state);
    },
  };
}
