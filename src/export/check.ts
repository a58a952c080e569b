/** Whether the graph computes what the engine computes, and how well. */
import type { Session } from '../infer/session.js';
import { type loadModel, mostProbable, predictImages } from '../train/index.js';
import { outputOf } from './batches.js';
import type { Images } from './image-choice.js';

type LoadedModel = ReturnType<typeof loadModel>;

/** The largest difference of a probability that passes. */
const TOLERANCE = 1e-4;

/**
 * The largest difference of any probability between the graph and the engine.
 * @throws {Error} where it is above 10⁻⁴
 */
export async function compareWithEngine(
  session: Session,
  { learning, description }: LoadedModel,
  { images, indices }: Images,
): Promise<number> {
  const actual = await outputOf(session, 'probabilities', { images, indices });
  const expected = await predictImages(learning, images, {
    normalization: description.normalization,
    indices,
  });
  let largest = 0;
  expected.forEach((row, i) => {
    row.forEach((probability, label) => {
      const difference = Math.abs(probability - actual[i][label]);
      if (!(difference <= TOLERANCE)) {
        throw new Error(
          `the exported graph does not compute what the engine does: for image ${indices[i]} the probability of ` +
            `${images.classes[label]} is ${actual[i][label]} instead of ${probability}; nothing was written`,
        );
      }
      largest = Math.max(largest, difference);
    });
  });
  return largest;
}

/** The share of images whose most probable class is theirs. */
export async function accuracyOf(session: Session, { images, indices }: Images): Promise<number> {
  const rows = await outputOf(session, 'probabilities', { images, indices });
  const right = rows.filter((row, i) => mostProbable(row) === images.labels[indices[i]]);
  return right.length / rows.length;
}
