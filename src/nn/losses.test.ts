import { beforeAll, describe, expect, it } from 'vitest';
import { checkGradients } from '../../test/support/gradient-check.js';
import { expectTensor, irregular, tensorOf } from '../../test/support/tensors.js';
import { gradients, setThreads, tensor } from '../tensor/index.js';
import { crossEntropy, crossEntropyPerRow, klDivergencePerRow, meanSquaredError } from './losses.js';

beforeAll(() => setThreads(1));

// softmax: (1/4, 3/4) and (1/2, 1/2)
const logits = tensorOf([
  [0, Math.log(3)],
  [5, 5],
]);
const classes = (...numbers: number[]) => tensor(numbers).to('int64');

describe('cross-entropy', () => {
  it('is −log of the probability of the right class, on average over the rows', () => {
    expectTensor(crossEntropy(logits, classes(0, 1)), (Math.log(4) + Math.log(2)) / 2);
    expectTensor(crossEntropy(logits, classes(1, 1)), (Math.log(4 / 3) + Math.log(2)) / 2);
  });

  it('takes probabilities as targets', () => {
    const targets = tensorOf([
      [0.5, 0.5],
      [0.9, 0.1],
    ]);
    expectTensor(crossEntropyPerRow(logits, targets), [
      0.5 * Math.log(4) + 0.5 * Math.log(4 / 3),
      Math.log(2),
    ]);
    expectTensor(crossEntropy(logits, targets), (0.5 * Math.log(16 / 3) + Math.log(2)) / 2);
  });

  it('is the same for a class and for its one-hot probabilities', () => {
    const oneHot = tensorOf([
      [0, 1],
      [1, 0],
    ]);
    expect(crossEntropy(logits, classes(1, 0)).item()).toBe(crossEntropy(logits, oneHot).item());
  });

  it('is finite for logits of any size', () => {
    const extreme = tensorOf([
      [1000, 0],
      [0, -1e4],
    ]);
    expectTensor(
      crossEntropyPerRow(
        extreme,
        tensorOf([
          [0, 1],
          [1, 0],
        ]),
      ),
      [1000, 0],
    );
  });

  it('has the gradient (softmax − target) / rows', () => {
    const leaf = logits.clone();
    leaf.requiresGrad = true;
    const [gradient] = gradients([crossEntropy(leaf, classes(0, 1))], [leaf]);
    expectTensor(gradient ?? tensorOf([]), [
      [(0.25 - 1) / 2, 0.75 / 2],
      [0.5 / 2, (0.5 - 1) / 2],
    ]);
  });

  it('has the gradients of finite differences', () => {
    const targets = irregular([3, 4], 2).softmax(1);
    checkGradients((rows) => crossEntropyPerRow(rows, targets), [irregular([3, 4])]);
    checkGradients((rows) => crossEntropy(rows, targets), [irregular([3, 4])]);
  });
});

describe('the Kullback–Leibler divergence', () => {
  it('is Σ p log(p/q), and 0·log 0 is 0', () => {
    const targets = tensorOf([
      [0.5, 0.5],
      [1, 0],
    ]);
    expectTensor(klDivergencePerRow(logits, targets), [
      0.5 * Math.log(2) + 0.5 * Math.log(2 / 3),
      Math.log(2),
    ]);
  });

  it('is zero where both agree', () => {
    expectTensor(klDivergencePerRow(logits, logits.softmax(1)), [0, 0]);
  });

  it('has the gradients of finite differences', () => {
    const targets = irregular([3, 4], 2).softmax(1);
    checkGradients((rows) => klDivergencePerRow(rows, targets), [irregular([3, 4])]);
  });
});

it('the mean squared error has the gradients of finite differences', () => {
  const targets = irregular([3, 4], 2).softmax(1);
  checkGradients((rows) => meanSquaredError(rows, targets), [irregular([3, 4])]);
});

it('the mean squared error is of all rows and classes', () => {
  const zero = tensorOf([
    [0, 0],
    [0, 0],
  ]);
  expectTensor(
    meanSquaredError(
      zero,
      tensorOf([
        [1, 2],
        [3, 0],
      ]),
    ),
    (1 + 4 + 9) / 4,
  );
});
