import { beforeAll, describe, expect, it } from 'vitest';
import { expectNumbers, expectTensor } from '../../test/support/tensors.js';
import { ToyEncoder, toyBatch, toyContext, toyImages } from '../../test/support/toy.js';
import { Sgd } from '../nn/index.js';
import { Generator, liveTensors, setThreads, type Tensor, tidy } from '../tensor/index.js';
import type { ClassifierNetwork } from './classifier-network.js';
import { supervised } from './supervised.js';

beforeAll(() => setThreads(1));

const OPTIONS = { labeledWeakViews: 0, labeledStrongViews: 1 };

function networkOf(seed = 1): ClassifierNetwork {
  return supervised.createNetwork(OPTIONS, {
    createEncoder: () => new ToyEncoder({ seed }),
    classes: 3,
    generator: new Generator(seed),
  });
}

function learnerOf(network: ClassifierNetwork) {
  return supervised.createLearner(OPTIONS, toyContext(network));
}

/** −log softmax(logits)_label, on average. */
function crossEntropyByHand(logits: Tensor, labels: readonly number[]): number {
  const classes = logits.shape[1];
  const numbers = logits.numbers();
  const losses = labels.map((label, i) => {
    const row = numbers.slice(i * classes, (i + 1) * classes);
    return Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[label];
  });
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

describe('supervised training', () => {
  it('asks for views of labeled images alone', () => {
    expect(supervised.views(supervised.options.parse({}) as typeof OPTIONS)).toEqual({
      labeled: { weak: 0, strong: 1 },
      unlabeled: { weak: 0, strong: 0 },
    });
    expect(supervised.views({ labeledWeakViews: 2, labeledStrongViews: 3 }).labeled).toEqual({
      weak: 2,
      strong: 3,
    });
  });

  it('has the cross-entropy of the labels as its loss', () => {
    const network = networkOf();
    const batch = toyBatch(1, { labels: [2, 0, 1, 1] });
    const { loss, metrics } = learnerOf(network).step(batch, 0);
    const logits = network.classifier.forward(network.encoder.forward(batch.labeled.images));
    expectTensor(loss, crossEntropyByHand(logits, [2, 0, 1, 1]));
    expect(metrics).toEqual({ loss });
  });

  it('gives every view of an image its label', () => {
    const network = networkOf();
    const batch = toyBatch(1, { labels: [2, 0], labeledWeakViews: 1, labeledStrongViews: 2 });
    const { loss } = learnerOf(network).step(batch, 0);
    const logits = network.forward(batch.labeled.images);
    expectTensor(loss, crossEntropyByHand(logits, [2, 0, 2, 0, 2, 0]));
  });

  it('sees nothing of the unlabeled images', () => {
    const learner = learnerOf(networkOf());
    const batch = toyBatch(1);
    const other = { ...batch, unlabeled: toyBatch(2).unlabeled };
    expect(learner.step(batch, 0).loss.item()).toBe(learner.step(other, 0).loss.item());
  });

  it('learns a batch by heart', () => {
    const network = networkOf();
    const learner = learnerOf(network);
    const batch = toyBatch(1, { labels: [0, 1, 2, 0] });
    const optimizer = new Sgd(network.namedParameters(), { momentum: 0.9, nesterov: true, weightDecay: 0 });
    optimizer.learningRate = 0.3;
    const losses = Array.from({ length: 60 }, (_, step) =>
      tidy(() => {
        const { loss } = learner.step(batch, step);
        loss.backward();
        optimizer.step();
        return loss.item();
      }),
    );
    expect(losses[59]).toBeLessThan(0.05 * losses[0]);
    const probabilities = learner.predict(network.train(false), batch.labeled.images);
    expect(probabilities.argmax(1).numbers()).toEqual([0, 1, 2, 0]);
  });

  it('predicts probabilities', () => {
    const network = networkOf();
    const images = toyImages(5, 3);
    const probabilities = learnerOf(network).predict(network, images);
    expect(probabilities.shape).toEqual([5, 3]);
    expectNumbers(probabilities.sum([1]).numbers(), [1, 1, 1, 1, 1]);
    expectNumbers(probabilities.log().numbers(), network.forward(images).logSoftmax(1).numbers(), {
      tolerance: 1e-5,
    });
  });

  it('predicts with the network it is given, such as an average', () => {
    const images = toyImages(5, 3);
    const learner = learnerOf(networkOf(1));
    const other = networkOf(2);
    expect(learner.predict(other, images).equals(learnerOf(other).predict(other, images))).toBe(true);
    expect(learner.predict(other, images).equals(learner.predict(networkOf(1), images))).toBe(false);
  });

  it('has no state beside the weights', () => {
    const learner = learnerOf(networkOf());
    expect(learner.state().size).toBe(0);
    learner.load(new Map());
  });

  it('leaves no tensors behind', () => {
    const learner = learnerOf(networkOf());
    const live = [1, 2, 3, 4].map((seed) => {
      tidy(() => learner.step(toyBatch(seed), seed).loss.backward());
      return liveTensors();
    });
    expect(live.slice(1)).toEqual(Array(3).fill(live[1]));
  });
});
