/**
 * Mean Teacher (Tarvainen and Valpola: Mean teachers are better role models, NeurIPS 2017):
 *
 *     J(θ) = H(y, f(x, θ)) + w(t) · E‖f(u, θ', η') − f(u, θ, η)‖²                                        (1)
 *     θ'_t = αθ'_{t−1} + (1 − α)θ_t                                                                      (2)
 *
 * where student and teacher see a weak view each, η and η', and f is the softmax. w and its linear ramp are those of
 * Berthelot et al. (MixMatch, FixMatch), who tuned the method for the same networks.
 *
 * Deviations: consistency is of the unlabeled images alone; the teacher normalizes by its averaged statistics.
 */
import { z } from 'zod';
import { crossEntropy, meanSquaredError } from '../nn/index.js';
import { concatenate, noGrad, tidy } from '../tensor/index.js';
import type { Algorithm } from './algorithm.js';
import { repeatPerView } from './batch.js';
import { ClassifierNetwork } from './classifier-network.js';
import { linearRamp } from './equations.js';
import {
  decay,
  labeledViews,
  passesOfLabeled,
  rampShare,
  unlabeledWeight,
  viewsOfLabeled,
} from './options.js';
import { Teacher } from './teacher.js';

const options = z.strictObject({
  ...labeledViews({ weak: 1, strong: 0 }),
  unlabeledWeight: unlabeledWeight(50, 'w'),
  rampShare: rampShare(0.4),
  teacherDecay: decay(0.999, "the teacher's weights, α"),
});

export const meanTeacher: Algorithm<z.output<typeof options>, ClassifierNetwork> = {
  title: 'Mean Teacher',
  citation: 'Tarvainen and Valpola, Mean teachers are better role models, NeurIPS 2017',
  summary: 'answers shall be like those of the average of the weights to another view',
  options,
  views: (own) => ({ labeled: viewsOfLabeled(own), unlabeled: { weak: 2, strong: 0 } }),
  passes: (own) => ({
    labeled: passesOfLabeled(own),
    unlabeled: { learning: 1, guessing: 1 }, // student and teacher
  }),
  createNetwork: (_, context) => new ClassifierNetwork(context),
  createLearner({ unlabeledWeight, rampShare, teacherDecay }, context) {
    const { network, steps } = context;
    const teacher = new Teacher(context, teacherDecay);
    return {
      step({ labeled, labels, unlabeled }, step) {
        teacher.follow(step); // (2)
        return tidy(() => {
          const { count } = unlabeled;
          const [u, u_teacher] = unlabeled.weak.split([count, count]); // (μB, C, H, W) each
          const target = noGrad(() => teacher.network.probabilities(u_teacher));
          const logits = network.forward(concatenate([labeled.images, u]));
          const [ofLabeled, ofStudent] = logits.split([labeled.images.shape[0], count]);

          const lossClf = crossEntropy(
            ofLabeled,
            repeatPerView(labels, labeled.images.shape[0] / labeled.count),
          );
          const lossCon = meanSquaredError(ofStudent.softmax(1), target);
          const w = unlabeledWeight * linearRamp(step, rampShare * steps);
          const loss = lossClf.add(lossCon.mul(w)); // (1)
          return { loss, metrics: { loss, lossClf, lossCon } };
        });
      },
      predict: (evaluated, images) => evaluated.probabilities(images),
      state: () => teacher.state(),
      load: (state) => teacher.load(state),
    };
  },
};
