/**
 * The toy network and the parts of losses in plain JavaScript numbers: independent of the engine and of `src/ssl`, so
 * that a loss can be worked out a second time.
 */
import { expect } from 'vitest';
import type { Module } from '../../src/nn/index.js';
import type { Algorithm, Batch } from '../../src/ssl/index.js';
import { Generator, type Tensor, tidy } from '../../src/tensor/index.js';
import { numbersOf, type ToyLearning, type ToySetting, toyLearning } from './toy-learning.js';

export type Row = readonly number[];
export type Rows = readonly Row[];

export const sum = (row: Row) => row.reduce((total, x) => total + x, 0);
export const mean = (row: Row) => sum(row) / row.length;
export const softmax = (row: Row) => {
  const powers = row.map((x) => Math.exp(x));
  return powers.map((x) => x / sum(powers));
};
/** −Σ p log q. */
export const crossEntropy = (p: Row, q: Row) => -sum(p.map((x, i) => x * Math.log(q[i])));
/** Σ p log(p / q). */
export const divergence = (p: Row, q: Row) =>
  sum(p.map((x, i) => (x === 0 ? 0 : x * (Math.log(x) - Math.log(q[i])))));
export const squaredError = (p: Row, q: Row) => mean(p.map((x, i) => (x - q[i]) ** 2));
export const oneHot = (c: number, classes = 3) =>
  Array.from({ length: classes }, (_, i) => (i === c ? 1 : 0));
export const argmax = (row: Row) => row.indexOf(Math.max(...row));
export const normalized = (row: Row) => row.map((x) => x / sum(row));
export const sharpened = (row: Row, T: number) => normalized(row.map((x) => x ** (1 / T)));
export const columnMeans = (rows: Rows) => rows[0].map((_, c) => mean(rows.map((row) => row[c])));
export const blend = (a: Row, b: Row, lambda: number) => a.map((x, i) => lambda * x + (1 - lambda) * b[i]);

/** The rows of a tensor (N, …). */
export function rowsOf(tensor: Tensor): Rows {
  const numbers = tensor.numbers();
  const [count] = tensor.shape;
  const length = numbers.length / count;
  return Array.from({ length: count }, (_, i) => numbers.slice(i * length, (i + 1) * length));
}

/** softmax(V relu(W leakyRelu(x) + b) + c), of the toy network without batch normalization. */
export class HandNetwork {
  constructor(readonly parameters: ReadonlyMap<string, number[]>) {}

  static of(module: Module): HandNetwork {
    return new HandNetwork(
      new Map([...module.namedTensors()].map(([name, value]) => [name, value.numbers()])),
    );
  }

  features(image: Row): Row {
    return this.featuresOf(this.hidden(image));
  }
  /** After the first stage of the encoder. */
  hidden(image: Row): Row {
    return image.map((x) => (x > 0 ? x : 0.3 * x));
  }
  /** After its second stage. */
  featuresOf(hidden: Row): Row {
    return this.layer('encoder.layer', hidden).map((x) => Math.max(0, x));
  }
  /** Class probabilities of an image. */
  p(image: Row): Row {
    return softmax(this.classify(this.features(image)));
  }
  /** Logits of features. */
  classify(features: Row): Row {
    return this.layer('classifier', features);
  }

  layer(name: string, input: Row): Row {
    const weight = this.parameters.get(`${name}.weight`) ?? [];
    const bias = this.parameters.get(`${name}.bias`) ?? [];
    return bias.map((b, out) => b + sum(input.map((x, i) => x * weight[out * input.length + i])));
  }
}

/** α of the one's weights and 1 − α of the other's. */
const averaged = (one: HandNetwork, other: HandNetwork, alpha: number) =>
  new HandNetwork(
    new Map(
      [...one.parameters].map(([name, row]) => [
        name,
        [...blend(row, other.parameters.get(name) ?? [], alpha)],
      ]),
    ),
  );

/** The views of a batch as rows. */
export interface HandBatch {
  readonly labels: readonly number[];
  /** all views of the labeled images, view by view */
  readonly labeled: Rows;
  /** by view, then by image */
  readonly weak: readonly Rows[];
  readonly strong: readonly Rows[];
}

/** What a loss is worked out from beside the weights that learn. */
export interface Given {
  readonly batch: HandBatch;
  /** the network as it is: for targets, which are constants */
  readonly fixed: HandNetwork;
  /** the moving average of the networks so far, with α = min(1 − 1/(t + 1), 0.999) */
  readonly teacher: HandNetwork;
  /** draws what the learner drew in this step */
  readonly generator: Generator;
  readonly step: number;
  /** the steps before this one */
  readonly past: readonly { readonly batch: HandBatch; readonly fixed: HandNetwork }[];
}

function handBatch({ labels, labeled, unlabeled }: Batch): HandBatch {
  const views = (rows: Rows) =>
    Array.from({ length: rows.length / unlabeled.count }, (_, view) =>
      rows.slice(view * unlabeled.count, (view + 1) * unlabeled.count),
    );
  return {
    labels: labels.numbers(),
    labeled: rowsOf(labeled.images),
    weak: views(rowsOf(unlabeled.weak)),
    strong: views(rowsOf(unlabeled.strong)),
  };
}

export interface HandLoss {
  /** the algorithm's settings that are not the authors' */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** steps made before the one that is worked out; default 1 */
  readonly after?: number;
  readonly setting?: ToySetting;
  /** of the loss; default 2e-5 */
  readonly tolerance?: number;
  loss(student: HandNetwork, given: Given): number;
}

/**
 * Asserts that a step has the loss that is worked out, and the gradients of it when everything but the student's
 * weights stays as it is: a missing stop of a gradient shows here.
 */
export function expectHandLoss(algorithm: Algorithm<unknown, Module>, hand: HandLoss): void {
  const { settings = {}, after = 1, setting, tolerance = 2e-5 } = hand;
  const learning: ToyLearning = toyLearning(algorithm, algorithm.options.parse(settings), {
    batchNorm: false,
    unlabeled: 8,
    scale: 2, // some predictions are sure, some not
    ...setting,
  });
  const past = Array.from({ length: after }, (_, step) => {
    const before = tidy(() => ({
      batch: handBatch(learning.batch(step)),
      fixed: HandNetwork.of(learning.network),
    }));
    learning.train(step, step + 1);
    return before;
  });
  const { state } = learning.generators.learner;
  const given = (): Given => {
    const generator = new Generator(0);
    generator.state = state;
    const batch = handBatch(learning.batch(after));
    const fixed = HandNetwork.of(learning.network);
    const networks = [...past.map((earlier) => earlier.fixed), fixed];
    const teacher = networks.reduce((average, network, t) =>
      averaged(average, network, Math.min(1 - 1 / (t + 1), 0.999)),
    );
    return { batch, fixed, teacher, generator, step: after, past };
  };
  tidy(() => {
    const { loss, metrics } = learning.learner.step(learning.batch(after), after);
    loss.backward();
    const student = HandNetwork.of(learning.network);
    const expected = hand.loss(student, given());
    expect(
      Math.abs(loss.item() - expected),
      `${JSON.stringify(numbersOf(metrics))}, not ${expected}`,
    ).toBeLessThan(tolerance * Math.max(1, Math.abs(expected)));

    const rest = given(); // draws again for each evaluation
    const lossOf = (parameters: ReadonlyMap<string, number[]>) => {
      rest.generator.state = state;
      return hand.loss(new HandNetwork(parameters), rest);
    };
    for (const [name, parameter] of learning.network.namedParameters()) {
      const weights = student.parameters.get(name) ?? [];
      const derivatives = parameter.grad?.numbers() ?? weights.map(() => 0);
      const scale = Math.max(...derivatives.map(Math.abs), 1e-3);
      for (const [i, weight] of weights.entries()) {
        const at = (value: number) =>
          lossOf(new Map([...student.parameters, [name, weights.with(i, value)]]));
        const slope = (at(weight + 1e-5) - at(weight - 1e-5)) / 2e-5;
        expect(
          Math.abs(derivatives[i] - slope),
          `d/d ${name}[${i}]: ${derivatives[i]}, not ${slope}`,
        ).toBeLessThan(2e-3 * scale);
      }
    }
  });
}

/** Asserts that there are both, or what is worked out would not show the difference. */
export function expectBoth(counts: readonly boolean[]): void {
  expect(new Set(counts).size, 'some count, some do not').toBe(2);
}

/** 1/N Σ H(y_i, p(x_i)), of all views of the labeled images. */
export const labeledLoss = (student: HandNetwork, { labeled, labels }: HandBatch) =>
  mean(labeled.map((image, i) => crossEntropy(oneHot(labels[i % labels.length]), student.p(image))));
