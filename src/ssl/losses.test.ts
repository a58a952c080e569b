/** The losses of the algorithms and their gradients, worked out a second time in plain numbers on a toy network. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  argmax,
  blend,
  columnMeans,
  crossEntropy,
  expectHandLoss,
  type HandLoss,
  labeledLoss,
  mean,
  oneHot,
  type Rows,
  sharpened,
  squaredError,
} from '../../test/support/by-hand.js';
import { numbersOf, toyLearning } from '../../test/support/toy-learning.js';
import type { Module } from '../nn/index.js';
import { type Generator, randomPermutation, sampleBeta, setThreads, tidy } from '../tensor/index.js';
import { type Algorithm, algorithms } from './index.js';

beforeAll(() => setThreads(1));

type Name = keyof typeof algorithms;
const algorithmOf = (name: Name) => algorithms[name] as unknown as Algorithm<unknown, Module>;

/** Mixes rows, which come with targets, as the generator says. */
function mixed(rows: Rows, targets: Rows, lambdas: readonly number[], generator: Generator) {
  const partners = randomPermutation(rows.length, generator).numbers();
  return rows.map((row, i) => ({
    image: blend(row, rows[partners[i]], lambdas[i]),
    target: blend(targets[i], targets[partners[i]], lambdas[i]),
  }));
}

const hand: Partial<Record<Name, HandLoss>> = {
  supervised: { loss: (student, { batch }) => labeledLoss(student, batch) },

  fixmatch: {
    settings: { threshold: 0.4, strongViews: 2, unlabeledWeight: 0.7 },
    loss(student, { batch, fixed }) {
      const [weak] = batch.weak;
      const terms = batch.strong.flatMap((view) =>
        view.map((image, b) => {
          const q = fixed.p(weak[b]);
          return Math.max(...q) >= 0.4 ? crossEntropy(oneHot(argmax(q)), student.p(image)) : 0;
        }),
      );
      return labeledLoss(student, batch) + 0.7 * mean(terms);
    },
  },

  'mean-teacher': {
    settings: { rampShare: 0.5 },
    loss(student, { batch, teacher, step }) {
      const [mine, teachers] = batch.weak;
      const terms = mine.map((image, b) => squaredError(student.p(image), teacher.p(teachers[b])));
      return labeledLoss(student, batch) + 50 * (step / 5) * mean(terms);
    },
  },

  mixmatch: {
    settings: { rampShare: 0.5, unlabeledWeight: 30 },
    loss(student, { batch, fixed, generator, step }) {
      const q = batch.weak[0].map((_, b) =>
        sharpened(columnMeans(batch.weak.map((view) => fixed.p(view[b]))), 0.5),
      );
      const rows = [...batch.labeled, ...batch.weak.flat()];
      const targets = [...batch.labels.map((label) => oneHot(label)), ...q, ...q];
      const lambdas = rows.map(() => {
        const lambda = sampleBeta(0.75, 0.75, generator);
        return Math.max(lambda, 1 - lambda);
      });
      const mixes = mixed(rows, targets, lambdas, generator);
      const labeled = mixes.slice(0, batch.labeled.length);
      const unlabeled = mixes.slice(batch.labeled.length);
      return (
        mean(labeled.map(({ image, target }) => crossEntropy(target, student.p(image)))) +
        30 * (step / 5) * mean(unlabeled.map(({ image, target }) => squaredError(target, student.p(image))))
      );
    },
  },
};

describe('the loss and its gradients, worked out by hand', () => {
  it.each(Object.entries(hand))('%s', (name, loss) => expectHandLoss(algorithmOf(name as Name), loss));
});

describe('views that do not differ', () => {
  /** The consistency of the first step when all views of an image are the same. */
  function consistency(name: Name, settings: Readonly<Record<string, unknown>> = {}): number {
    const algorithm = algorithmOf(name);
    const { learner, batch } = toyLearning(algorithm, algorithm.options.parse(settings), {
      batchNorm: false,
    });
    return tidy(() => {
      const { unlabeled, ...rest } = batch(0);
      const first = unlabeled.images.narrow(0, 0, unlabeled.count);
      for (let view = 0; view < unlabeled.images.shape[0] / unlabeled.count; view++) {
        unlabeled.images.narrow(0, view * unlabeled.count, unlabeled.count).copyInPlace(first);
      }
      const { weak, strong } = algorithm.views(algorithm.options.parse(settings)).unlabeled;
      const views = {
        ...unlabeled,
        weak: unlabeled.images.narrow(0, 0, weak * unlabeled.count),
        strong: unlabeled.images.narrow(0, weak * unlabeled.count, strong * unlabeled.count),
      };
      return numbersOf(learner.step({ ...rest, unlabeled: views }, 0).metrics).lossCon;
    });
  }

  it.each<[Name, Readonly<Record<string, unknown>>]>([['mean-teacher', {}]])(
    'leave nothing to learn from unlabeled images: %s',
    (name, settings) => expect(Math.abs(consistency(name, settings))).toBeLessThan(1e-6),
  );
});

it('Mean Teacher: the student does not read the answer of the teacher', () => {
  // With another view, or other weights, the two must differ; a student that reads the teacher's output has loss zero.
  const algorithm = algorithmOf('mean-teacher');
  const { learner, batch, train } = toyLearning(algorithm, algorithm.options.parse({}), { batchNorm: false });
  train(0, 2);
  tidy(() => {
    const { unlabeled, ...rest } = batch(2);
    const { count, weak } = unlabeled;
    weak.narrow(0, count, count).copyInPlace(weak.narrow(0, 0, count)); // the same view for both
    const { metrics } = learner.step({ ...rest, unlabeled }, 2);
    expect(numbersOf(metrics).lossCon).toBeGreaterThan(1e-7);
  });
});
