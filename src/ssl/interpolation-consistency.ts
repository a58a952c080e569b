/**
 * The network's answer to a mix of two images shall be the mix of a teacher's answers, which ICT asks of mixed images
 * and Manifold Mixup of mixed hidden representations:
 *
 *     L = H(ỹ, f_k(Mix_λ(h_k(x_i), h_k(x_j)))) + w(t) · ‖f_k(Mix_λ(h_k(u_i), h_k(u_j))) − Mix_λ(f'(u_i), f'(u_j))‖²
 *
 * with h_k the first k stages of the network and f_k the others, f the softmax, and f' the moving average of f.
 */
import { crossEntropy, meanSquaredError } from '../nn/index.js';
import { concatenate, noGrad, oneHot, type Tensor, tidy, uniform } from '../tensor/index.js';
import type { Learner, LearnerContext } from './algorithm.js';
import { repeatPerView } from './batch.js';
import type { ClassifierNetwork } from './classifier-network.js';
import { linearRamp } from './equations.js';
import { drawMixing, type Mixing, mix } from './mixing.js';
import { Teacher } from './teacher.js';

interface InterpolationOptions {
  /** k: always 0, or drawn for each step */
  readonly mixes: 'images' | 'any stage';
  /** α of the labeled images; 0: they are not mixed */
  readonly labeledMixupAlpha: number;
  readonly mixupAlpha: number;
  readonly unlabeledWeight: number;
  readonly rampShare: number;
  readonly teacherDecay: number;
}

/** Consecutive rows, and how they are mixed among each other. */
interface Part {
  readonly rows: number;
  readonly mixing: Mixing | null;
}

export function createInterpolationLearner(
  context: LearnerContext<ClassifierNetwork>,
  options: InterpolationOptions,
): Learner<ClassifierNetwork> {
  const { network, classes, generator, steps } = context;
  const { mixes, labeledMixupAlpha, mixupAlpha, unlabeledWeight, rampShare, teacherDecay } = options;
  const stages = network.encoder.stages();
  const teacher = new Teacher(context, teacherDecay);

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
          labeledMixupAlpha === 0 ? null : drawMixing(rows.labeled, { alpha: labeledMixupAlpha, generator });
        const ofUnlabeled = drawMixing(rows.unlabeled, { alpha: mixupAlpha, generator });
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
        const w = unlabeledWeight * linearRamp(step, rampShare * steps);
        const loss = lossClf.add(lossCon.mul(w));
        return { loss, metrics: { loss, lossClf, lossCon } };
      });
    },
    predict: (evaluated, images) => evaluated.probabilities(images),
    state: () => teacher.state(),
    load: (state) => teacher.load(state),
  };
}
