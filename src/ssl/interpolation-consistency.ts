/**
 * The network's answer to a mix of two images shall be the mix of a teacher's answers, which ICT asks of mixed images
 * and Manifold Mixup of mixed hidden representations:
 *
 *     L = H(ỹ, f_k(Mix_λ(h_k(x_i), h_k(x_j)))) + w(t) · ‖f_k(Mix_λ(h_k(u_i), h_k(u_j))) − Mix_λ(f'(u_i), f'(u_j))‖²
 *
 * with h_k the first k stages of the network and f_k the others, f the softmax, and f' the moving average of f.
 */
import { z } from 'zod';
import { crossEntropy, meanSquaredError } from '../nn/index.js';
import { concatenate, noGrad, oneHot, type Tensor, tidy, uniform } from '../tensor/index.js';
import type { Algorithm, Learner, LearnerContext } from './algorithm.js';
import { repeatPerView } from './batch.js';
import { ClassifierNetwork } from './classifier-network.js';
import { linearRamp } from './equations.js';
import { drawMixing, type Mixing, mix } from './mixing.js';
import {
  decay,
  labeledMixupAlpha,
  labeledViews,
  mixupAlpha,
  passesOfLabeled,
  rampShare,
  unlabeledWeight,
  viewsOfLabeled,
} from './options.js';
import { Teacher } from './teacher.js';

const optionsWith = (defaults: {
  labeledMixupAlpha: number;
  mixupAlpha: number;
  unlabeledWeight: number;
  rampShare: number;
}) =>
  z.strictObject({
    ...labeledViews({ weak: 1, strong: 0 }),
    labeledMixupAlpha: labeledMixupAlpha(defaults.labeledMixupAlpha),
    mixupAlpha: mixupAlpha(defaults.mixupAlpha),
    unlabeledWeight: unlabeledWeight(defaults.unlabeledWeight, 'w'),
    rampShare: rampShare(defaults.rampShare),
    teacherDecay: decay(0.999, "the teacher's weights"),
  });

type InterpolationOptions = z.output<ReturnType<typeof optionsWith>>;

export interface InterpolationMethod {
  readonly title: string;
  readonly citation: string;
  readonly summary: string;
  readonly defaults: Parameters<typeof optionsWith>[0];
  /** k: always 0, or drawn for each step */
  readonly mixes: 'images' | 'any stage';
}

/** The algorithm of a method that is told by where it mixes, and its hyper-parameters' defaults. */
export function interpolationConsistency({
  title,
  citation,
  summary,
  defaults,
  mixes,
}: InterpolationMethod): Algorithm<InterpolationOptions, ClassifierNetwork> {
  return {
    title,
    citation,
    summary,
    options: optionsWith(defaults),
    views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 1, strong: 0 } }),
    passes: (own) => ({
      labeled: passesOfLabeled(own),
      unlabeled: { learning: 1, guessing: 1 }, // student and teacher
    }),
    createNetwork: (_, context) => new ClassifierNetwork(context),
    createLearner: (own, context) => createLearner(own, context, mixes),
  };
}

/** Consecutive rows, and how they are mixed among each other. */
interface Part {
  readonly rows: number;
  readonly mixing: Mixing | null;
}

function createLearner(
  options: InterpolationOptions,
  context: LearnerContext<ClassifierNetwork>,
  mixes: InterpolationMethod['mixes'],
): Learner<ClassifierNetwork> {
  const { network, classes, generator, steps } = context;
  const stages = network.encoder.stages();
  const teacher = new Teacher(context, options.teacherDecay);

  const drawStage = () =>
    mixes === 'images' ? 0 : Math.floor(uniform([], 0, stages.length, { generator }).item());

  /** Logits of images whose parts are mixed, each within itself, at the input of a stage. */
  function forwardMixed(images: Tensor, stage: number, parts: readonly Part[]): Tensor {
    const hidden = stages.slice(0, stage).reduce((input, run) => run(input), images); // h_k
    const pieces = hidden.split(parts.map(({ rows }) => rows));
    const mixed = concatenate(
      parts.map(({ mixing }, i) => (mixing === null ? pieces[i] : mix(pieces[i], mixing))),
    );
    return network.classifier.forward(stages.slice(stage).reduce((input, run) => run(input), mixed)); // f_k
  }

  return {
    step({ labeled, labels, unlabeled }, step) {
      teacher.follow(step);
      return tidy(() => {
        const rows = { labeled: labeled.images.shape[0], unlabeled: unlabeled.count };
        const stage = drawStage();
        const ofLabeled =
          options.labeledMixupAlpha === 0
            ? null
            : drawMixing(rows.labeled, { alpha: options.labeledMixupAlpha, generator });
        const ofUnlabeled = drawMixing(rows.unlabeled, { alpha: options.mixupAlpha, generator });
        const target = noGrad(() => mix(teacher.network.probabilities(unlabeled.weak), ofUnlabeled));
        const parts = [
          { rows: rows.labeled, mixing: ofLabeled },
          { rows: rows.unlabeled, mixing: ofUnlabeled },
        ];
        const logits = forwardMixed(concatenate([labeled.images, unlabeled.weak]), stage, parts);
        const [logitsLabeled, logitsUnlabeled] = logits.split([rows.labeled, rows.unlabeled]);

        const y = repeatPerView(oneHot(labels, classes), rows.labeled / labeled.count);
        const lossClf = crossEntropy(logitsLabeled, ofLabeled === null ? y : mix(y, ofLabeled));
        const lossCon = meanSquaredError(logitsUnlabeled.softmax(1), target);
        const w = options.unlabeledWeight * linearRamp(step, options.rampShare * steps);
        const loss = lossClf.add(lossCon.mul(w));
        return { loss, metrics: { loss, lossClf, lossCon } };
      });
    },
    predict: (evaluated, images) => evaluated.probabilities(images),
    state: () => teacher.state(),
    load: (state) => teacher.load(state),
  };
}
