import { beforeAll, describe, it } from 'vitest';
import { parityTensors } from '../../../test/support/parity.js';
import { expectSameRows, rowsOf, selectedRows } from '../../../test/support/prototype-rows.js';
import { Generator, setThreads } from '../../tensor/index.js';
import { selectPrototypes } from './prototypes.js';

beforeAll(() => setThreads(1));

/** The greatest number of rows that any class has. */
function mostOfAClass(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

describe('the published prototypes', () => {
  const given = parityTensors('prototypes.safetensors');
  const givenAlone = parityTensors('prototypes_labeled_only.safetensors');
  const expected = {
    classes: given('prototype_class').numbers(),
    fromLabeled: given('prototype_is_labeled').numbers().map(Boolean),
  };
  const expectedAlone = givenAlone('prototype_class').numbers();
  const labeled = { features: given('labeled_features'), labels: given('labels').numbers() };

  // p_k and the share of labeled features stand in no file. A class may have fewer labeled features than its share,
  // and then all of them are prototypes; of recorded features there are enough, or none is used.
  const prototypesPerClass = Math.max(mostOfAClass(expected.classes), mostOfAClass(expectedAlone));
  const recordedShare = mostOfAClass(expected.classes.filter((_, row) => !expected.fromLabeled[row]));
  const options = (seed: number) => ({
    classes: given('unlabeled_probabilities').shape[1],
    prototypesPerClass,
    labeledRatio: 1 - recordedShare / prototypesPerClass,
    generator: new Generator(seed),
  });

  it.each([1, 2, 3])('come from labeled and confident unlabeled features (seed %i)', (seed) => {
    const recorded = {
      features: given('unlabeled_features'),
      probabilities: given('unlabeled_probabilities'),
    };
    expectSameRows(
      selectedRows(selectPrototypes(labeled, recorded, options(seed))),
      rowsOf(given('prototypes'), expected.classes, expected.fromLabeled),
    );
  });

  it.each([1, 2, 3])('come from labeled features alone where nothing was recorded (seed %i)', (seed) => {
    expectSameRows(
      selectedRows(selectPrototypes(labeled, null, options(seed))),
      rowsOf(givenAlone('prototypes'), expectedAlone, Array<boolean>(expectedAlone.length).fill(true)),
    );
  });
});
