/** The losses of the algorithms and their gradients, worked out a second time in plain numbers on a toy network. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  argmax,
  blend,
  columnMeans,
  crossEntropy,
  divergence,
  expectBoth,
  expectHandLoss,
  type Given,
  type HandLoss,
  type HandNetwork,
  labeledLoss,
  mean,
  normalized,
  oneHot,
  type Row,
  type Rows,
  rowsOf,
  sharpened,
  softmax,
  squaredError,
} from '../../test/support/by-hand.js';
import { numbersOf, toyLearning } from '../../test/support/toy-learning.js';
import type { Module } from '../nn/index.js';
import {
  type Generator,
  normal,
  randomPermutation,
  sampleBeta,
  setThreads,
  tidy,
  uniform,
} from '../tensor/index.js';
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

/** ICT's loss, with images (stage 0) or hidden representations (stage 1) mixed. */
function interpolated(
  student: HandNetwork,
  { batch, teacher, generator }: Given,
  alpha: { labeled: number; unlabeled: number; stage: number; weight: number },
): number {
  const mixedAnswers = (images: Rows, targets: Rows, a: number) => {
    const lambda = sampleBeta(a, a, generator);
    const inputs = alpha.stage === 0 ? images : images.map((image) => student.hidden(image));
    return mixed(inputs, targets, Array(images.length).fill(lambda), generator).map(({ image, target }) => {
      const hidden = alpha.stage === 0 ? student.hidden(image) : image;
      return { p: softmax(student.classify(student.featuresOf(hidden))), target };
    });
  };
  const [weak] = batch.weak;
  const labels = batch.labels.map((label) => oneHot(label));
  const labeled = mixedAnswers(batch.labeled, labels, alpha.labeled);
  const answers = weak.map((image) => teacher.p(image));
  const unlabeled = mixedAnswers(weak, answers, alpha.unlabeled);
  return (
    mean(labeled.map(({ p, target }) => crossEntropy(target, p))) +
    alpha.weight * mean(unlabeled.map(({ p, target }) => squaredError(p, target)))
  );
}

/** The vector in its direction of the given length. */
const ofLength = (vector: Row, length: number): number[] => {
  const norm = Math.sqrt(vector.reduce((total, x) => total + x * x, 0));
  return vector.map((x) => (length * x) / norm);
};

/** A 3×3 image rotated by right angles: the last column becomes the first row. */
function rotated(image: Row, times: number): Row {
  if (times === 0) return image;
  const once = image.map((_, i) => image[3 * (i % 3) + 2 - Math.floor(i / 3)]);
  return rotated(once, times - 1);
}

/** The loss of the third step, of 24 images that are the first of all. */
function flexmatchByHand(options: { threshold: number; unlabeledImages: number }): HandLoss {
  const { threshold, unlabeledImages } = options;
  return {
    settings: { threshold },
    setting: { unlabeled: 24, unlabeledImages },
    after: 2,
    loss(student, { batch, fixed, past }) {
      const latest = Array<number>(unlabeledImages).fill(-1);
      for (const earlier of past) {
        earlier.batch.weak[0].forEach((image, b) => {
          const q = earlier.fixed.p(image);
          if (Math.max(...q) >= threshold) latest[b] = argmax(q);
        });
      }
      const count = (c: number) => latest.filter((label) => label === c).length;
      const most = Math.max(count(-1), count(0), count(1), count(2));
      const q = batch.weak[0].map((image) => fixed.p(image));
      const counts = q.map((row) => {
        const beta = count(argmax(row)) / most;
        return Math.max(...row) >= (threshold * beta) / (2 - beta);
      });
      expectBoth(counts);
      const terms = batch.strong[0].map((image, b) =>
        counts[b] ? crossEntropy(oneHot(argmax(q[b])), student.p(image)) : 0,
      );
      return labeledLoss(student, batch) + mean(terms);
    },
  };
}

const hand: Partial<Record<Name, HandLoss>> = {
  supervised: { loss: (student, { batch }) => labeledLoss(student, batch) },

  fixmatch: {
    settings: { threshold: 0.5, strongViews: 2, unlabeledWeight: 0.7 },
    loss(student, { batch, fixed }) {
      const q = batch.weak[0].map((image) => fixed.p(image));
      const counts = q.map((row) => Math.max(...row) >= 0.5);
      expectBoth(counts);
      const terms = batch.strong.flatMap((view) =>
        view.map((image, b) => (counts[b] ? crossEntropy(oneHot(argmax(q[b])), student.p(image)) : 0)),
      );
      return labeledLoss(student, batch) + 0.7 * mean(terms);
    },
  },

  'mean-teacher': {
    after: 3,
    settings: { rampShare: 0.5 },
    loss(student, { batch, teacher, step }) {
      const [mine, teachers] = batch.weak;
      const terms = mine.map((image, b) => squaredError(student.p(image), teacher.p(teachers[b])));
      return labeledLoss(student, batch) + 50 * (step / 5) * mean(terms);
    },
  },

  mixup: {
    loss(student, { batch, generator }) {
      const lambda = sampleBeta(1, 1, generator);
      const targets = batch.labels.map((label) => oneHot(label));
      const mixes = mixed(batch.labeled, targets, Array(3).fill(lambda), generator);
      return mean(mixes.map(({ image, target }) => crossEntropy(target, student.p(image))));
    },
  },

  ict: {
    after: 3,
    settings: { rampShare: 0.5 },
    loss: (student, given) =>
      interpolated(student, given, { labeled: 1, unlabeled: 1, stage: 0, weight: 100 * (given.step / 5) }),
  },

  'manifold-mixup': {
    after: 3,
    settings: { rampShare: 0, unlabeledWeight: 30 },
    loss(student, given) {
      const stage = Math.floor(uniform([], 0, 2, { generator: given.generator }).item());
      return interpolated(student, given, { labeled: 0.1, unlabeled: 2, stage, weight: 30 });
    },
  },

  'pi-model': {
    settings: { rampShare: 0.5 },
    loss(student, { batch, fixed, step }) {
      const [first, second] = batch.weak;
      const terms = first.map((image, b) => squaredError(student.p(image), fixed.p(second[b])));
      return labeledLoss(student, batch) + 20 * (step / 5) * mean(terms);
    },
  },

  'temporal-ensembling': {
    settings: { rampShare: 0.5 },
    after: 2,
    loss(student, { batch, past, step }) {
      const terms = batch.weak[0].map((image, b) => {
        const [z_0, z_1] = past.map((earlier) => earlier.fixed.p(earlier.batch.weak[0][b]));
        const target = z_0.map((z, c) => (0.6 * 0.4 * z + 0.4 * z_1[c]) / (1 - 0.6 ** 2));
        return squaredError(student.p(image), target);
      });
      return labeledLoss(student, batch) + 30 * Math.exp(-5 * (1 - step / 5) ** 2) * mean(terms);
    },
  },

  vat: {
    settings: { rampShare: 0.5, xi: 0.05, epsilon: 2, entropyWeight: 0.4, unlabeledWeight: 0.8 },
    tolerance: 2e-4,
    loss(student, { batch, fixed, generator, step }) {
      const [images] = batch.weak;
      const noise = rowsOf(normal([images.length, 9], 0, 1, { generator }));
      const terms = images.map((image, b) => {
        const p = fixed.p(image);
        const start = ofLength(noise[b], 0.05);
        const at = (d: Row) => divergence(p, fixed.p(image.map((x, i) => x + d[i])));
        const gradient = start.map(
          (d, i) => (at(start.with(i, d + 1e-5)) - at(start.with(i, d - 1e-5))) / 2e-5,
        );
        const adversarial = ofLength(gradient, 2);
        return divergence(p, student.p(image.map((x, i) => x + adversarial[i])));
      });
      const entropies = images.map((image) => crossEntropy(student.p(image), student.p(image)));
      return labeledLoss(student, batch) + 0.8 * (step / 5) * mean(terms) + 0.4 * mean(entropies);
    },
  },

  'pseudo-label': {
    settings: { rampShare: 0.5, threshold: 0.5 },
    loss(student, { batch, fixed, step }) {
      const q = batch.weak[0].map((image) => fixed.p(image));
      const counts = q.map((row) => Math.max(...row) >= 0.5);
      expectBoth(counts);
      const terms = batch.weak[0].map((image, b) =>
        counts[b] ? crossEntropy(oneHot(argmax(q[b])), student.p(image)) : 0,
      );
      return labeledLoss(student, batch) + (step / 5) * mean(terms);
    },
  },

  uda: {
    settings: { threshold: 0.5 },
    loss(student, { batch, fixed }) {
      const q = batch.weak[0].map((image) => fixed.p(image));
      const counts = q.map((row) => Math.max(...row) >= 0.5);
      expectBoth(counts);
      const terms = batch.strong[0].map((image, b) =>
        counts[b] ? divergence(sharpened(q[b], 0.4), student.p(image)) : 0,
      );
      return labeledLoss(student, batch) + mean(terms);
    },
  },

  flexmatch: flexmatchByHand({ threshold: 0.8, unlabeledImages: 33 }),

  freematch: {
    settings: { averageDecay: 0.7, fairnessWeight: 0.5 },
    loss(student, { batch, fixed, past }) {
      let tau = 1 / 3;
      let prediction: Row = [1 / 3, 1 / 3, 1 / 3];
      let histogram = prediction;
      for (const { batch: seen, fixed: network } of [...past, { batch, fixed }]) {
        const q = seen.weak[0].map((image) => network.p(image));
        tau = 0.7 * tau + 0.3 * mean(q.map((row) => Math.max(...row)));
        prediction = blend(prediction, columnMeans(q), 0.7);
        histogram = blend(histogram, columnMeans(q.map((row) => oneHot(argmax(row)))), 0.7);
      }
      const counts = batch.weak[0].map((image) => {
        const q = fixed.p(image);
        return Math.max(...q) >= (tau * prediction[argmax(q)]) / Math.max(...prediction);
      });
      expectBoth(counts);
      const p = batch.strong[0].map((image) => student.p(image));
      const terms = p.map((row, b) =>
        counts[b] ? crossEntropy(oneHot(argmax(fixed.p(batch.weak[0][b]))), row) : 0,
      );
      const chosen = p.filter((_, b) => counts[b]);
      const share = columnMeans(chosen.map((row) => oneHot(argmax(row))));
      const expected = normalized(prediction.map((x, c) => x / histogram[c]));
      const predicted = normalized(columnMeans(chosen).map((x, c) => (share[c] === 0 ? 0 : x / share[c])));
      const fairness = expected.reduce((total, x, c) => total + x * Math.log(predicted[c] + 1e-12), 0);
      return labeledLoss(student, batch) + mean(terms) + 0.5 * fairness;
    },
  },

  softmatch: {
    settings: { averageDecay: 0.2 },
    loss(student, { batch, fixed, past }) {
      let mu = 1 / 3;
      let variance = 1;
      let prediction: Row = [1 / 3, 1 / 3, 1 / 3];
      let weights: Row = [];
      for (const { batch: seen, fixed: network } of [...past, { batch, fixed }]) {
        const q = seen.weak[0].map((image) => network.p(image));
        prediction = blend(prediction, columnMeans(q), 0.2);
        const confidence = q.map((row) => Math.max(...normalized(row.map((x, c) => x / prediction[c]))));
        const average = mean(confidence);
        mu = 0.2 * mu + 0.8 * average;
        variance =
          0.2 * variance + (0.8 * confidence.reduce((total, x) => total + (x - average) ** 2, 0)) / 7;
        weights = confidence.map((x) => Math.exp((-(Math.min(x - mu, 0) ** 2) * 4) / (2 * variance)));
      }
      const terms = batch.strong[0].map(
        (image, b) => weights[b] * crossEntropy(oneHot(argmax(fixed.p(batch.weak[0][b]))), student.p(image)),
      );
      return labeledLoss(student, batch) + mean(terms);
    },
  },

  remixmatch: {
    settings: { strongViews: 2, rampShare: 0.5 },
    loss(student, { batch, fixed, past, generator, step }) {
      const means = [...past, { batch, fixed }].map((at) =>
        columnMeans(at.batch.weak[0].map((image) => at.fixed.p(image))),
      );
      const p_model = oneHot(0).map((_, c) => (126 / 3 + means[0][c] + means[1][c]) / 128);
      const q = batch.weak[0].map((image) =>
        sharpened(normalized(fixed.p(image).map((x, c) => x / 3 / p_model[c])), 0.5),
      );
      const rows = [...batch.labeled, ...batch.weak[0], ...batch.strong.flat()];
      const targets = [...batch.labels.map((label) => oneHot(label)), ...q, ...q, ...q];
      const lambdas = rows.map(() => {
        const lambda = sampleBeta(0.75, 0.75, generator);
        return Math.max(lambda, 1 - lambda);
      });
      const losses = mixed(rows, targets, lambdas, generator).map(({ image, target }) =>
        crossEntropy(target, student.p(image)),
      );
      const angles = uniform([8], 0, 4, { generator }).numbers().map(Math.floor);
      const [strong] = batch.strong;
      const ofStrong = strong.map((image, b) => crossEntropy(q[b], student.p(image)));
      const ofRotated = strong.map((image, b) => {
        const features = student.features(rotated(image, angles[b]));
        return crossEntropy(oneHot(angles[b], 4), softmax(student.layer('rotation', features)));
      });
      return (
        mean(losses.slice(0, 3)) +
        (step / 5) * (1.5 * mean(losses.slice(3)) + 0.5 * mean(ofStrong)) +
        0.5 * mean(ofRotated)
      );
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

it('Temporal Ensembling: images that were never seen have no target', () => {
  const algorithm = algorithmOf('temporal-ensembling');
  expectHandLoss(algorithm, { after: 0, loss: (student, { batch }) => labeledLoss(student, batch) });
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

  it.each<[Name, Readonly<Record<string, unknown>>]>([
    ['mean-teacher', {}],
    ['pi-model', {}],
    ['vat', { epsilon: 0 }],
    ['uda', { threshold: 0, temperature: 1 }],
  ])('leave nothing to learn from unlabeled images: %s', (name, settings) =>
    expect(Math.abs(consistency(name, settings))).toBeLessThan(1e-6),
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
