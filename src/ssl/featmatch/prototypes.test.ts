import { beforeAll, describe, expect, it } from 'vitest';
import { expectSameRows, selectedRows } from '../../../test/support/prototype-rows.js';
import { expectTensor, tensorOf } from '../../../test/support/tensors.js';
import { Generator, liveTensors, setThreads, tidy } from '../../tensor/index.js';
import { selectPrototypes } from './prototypes.js';

beforeAll(() => setThreads(1));

const count = (values: readonly unknown[], wanted: unknown) =>
  values.filter((value) => value === wanted).length;

describe('selectPrototypes', () => {
  const generator = () => new Generator(1);

  /** Two classes on two rays; class 0 along x, class 1 along y. */
  const labeled = {
    features: tensorOf([
      [1, 0],
      [0, 1],
      [3, 0],
      [0, 5],
    ]),
    labels: [0, 1, 0, 1],
  };

  /** Four recorded features of each class, of the given confidence. */
  function recordedWith(confidences: readonly [number, number]) {
    const rows = [0, 1, 2, 3].flatMap((i) => [
      { features: [10 + i, 0], probabilities: [confidences[0], 1 - confidences[0]] },
      { features: [0, 20 + i], probabilities: [1 - confidences[1], confidences[1]] },
    ]);
    return {
      features: tensorOf(rows.map((row) => row.features)),
      probabilities: tensorOf(rows.map((row) => row.probabilities)),
    };
  }

  const options = { classes: 2, prototypesPerClass: 2, labeledRatio: 0.5, generator: generator() };

  it('gives the mean of a class where one prototype of a kind is asked for', () => {
    expectSameRows(selectedRows(selectPrototypes(labeled, recordedWith([0.9, 0.9]), options)), [
      { features: [2, 0], label: 0, fromLabeled: true },
      { features: [11.5, 0], label: 0, fromLabeled: false },
      { features: [0, 3], label: 1, fromLabeled: true },
      { features: [0, 21.5], label: 1, fromLabeled: false },
    ]);
  });

  it('gives the features of a class themselves where there are no more than prototypes asked for', () => {
    expectSameRows(selectedRows(selectPrototypes(labeled, null, options)), [
      { features: [1, 0], label: 0, fromLabeled: true },
      { features: [3, 0], label: 0, fromLabeled: true },
      { features: [0, 1], label: 1, fromLabeled: true },
      { features: [0, 5], label: 1, fromLabeled: true },
    ]);
    expect(selectPrototypes(labeled, null, { ...options, prototypesPerClass: 9 }).labels.length).toBe(4);
  });

  it('puts beside the mean the centers of clusters by direction, each the mean of its members as they are', () => {
    // in direction two clusters: (1, 0) with (9, 0), and (0, 1) with (0, 2) and (0, 3); by distance (9, 0) is alone
    const features = tensorOf([
      [1, 0],
      [9, 0],
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
    const given = { features, labels: [0, 0, 0, 0, 0] };
    expectSameRows(
      selectedRows(selectPrototypes(given, null, { ...options, classes: 1, prototypesPerClass: 3 })),
      [
        { features: [2, 6 / 5], label: 0, fromLabeled: true },
        { features: [5, 0], label: 0, fromLabeled: true },
        { features: [0, 2], label: 0, fromLabeled: true },
      ],
    );
  });

  it('takes recorded features above half confidence, and halves that until every class has enough', () => {
    const kinds = (confidences: readonly [number, number], prototypesPerClass = 2) =>
      selectPrototypes(labeled, recordedWith(confidences), { ...options, prototypesPerClass }).fromLabeled;
    expect(kinds([0.51, 0.51])).toEqual([true, false, true, false]);
    // 4 recorded features of a class are more than 3, not more than 4
    expect(count(kinds([0.9, 0.9], 3), false)).toBe(2 * 1);
    expect(kinds([0.9, 0.9], 4)).not.toContain(false);
  });

  it('uses labeled features alone where some class has too few recorded ones at any threshold', () => {
    const recorded = recordedWith([0.9, 0.1]); // all of class 0
    const { fromLabeled, labels } = selectPrototypes(labeled, recorded, options);
    expect(fromLabeled).toEqual([true, true, true, true]);
    expect([...labels]).toEqual([0, 0, 1, 1]);
  });

  it.each([
    { greatest: 0.3, halvings: 1, counts: true },
    { greatest: 0.02, halvings: 5, counts: true },
    { greatest: 0.015, halvings: 6, counts: false }, // 0.5 / 2⁵ = 0.0156
  ])('halves at most five times: confidence $greatest needs $halvings', ({ greatest, counts }) => {
    const classes = 80;
    const each = (make: (label: number) => number[]) =>
      tensorOf(Array.from({ length: 2 * classes }, (_, row) => make(row % classes)));
    const rest = (1 - greatest) / (classes - 1);
    const recorded = {
      features: each((label) => [label, 1]),
      probabilities: each((label) =>
        Array.from({ length: classes }, (_, c) => (c === label ? greatest : rest)),
      ),
    };
    const given = {
      features: each((label) => [label, 2]),
      labels: [...Array(2 * classes).keys()].map((i) => i % classes),
    };
    const { fromLabeled } = selectPrototypes(given, recorded, {
      ...options,
      classes,
      prototypesPerClass: 1,
      labeledRatio: 0,
    });
    expect(fromLabeled).toEqual(Array<boolean>(classes).fill(!counts));
  });

  it.each([
    { labeledRatio: 0, expected: [false, false, false, false] },
    { labeledRatio: 1, expected: [true, true, true, true] },
  ])('takes its share from labeled features: $labeledRatio', ({ labeledRatio, expected }) => {
    const { fromLabeled } = selectPrototypes(labeled, recordedWith([0.9, 0.9]), { ...options, labeledRatio });
    expect(fromLabeled).toEqual(expected);
  });

  it('takes features that are all zero', () => {
    const features = tensorOf([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    const given = { features, labels: [0, 0, 0] };
    const { features: prototypes } = selectPrototypes(given, null, { ...options, classes: 1 });
    expect(prototypes.numbers().every((x) => x === 0)).toBe(true);
  });

  it('names a class without a labeled image', () => {
    expect(() => selectPrototypes(labeled, null, { ...options, classes: 3 })).toThrow(
      'class 2 has no labeled image to make prototypes from',
    );
  });

  it('is the same for the same seed', () => {
    const features = tensorOf(
      Array.from({ length: 30 }, (_, i) => [Math.sin(i * 3) + 1, Math.cos(i * i) + 1]),
    );
    const given = { features, labels: Array<number>(30).fill(0) };
    const select = () =>
      selectPrototypes(given, null, {
        ...options,
        classes: 1,
        prototypesPerClass: 6,
        generator: generator(),
      });
    expect(select().features.equals(select().features)).toBe(true);
    expectTensor(select().features.narrow(0, 0, 1), [features.mean([0]).numbers()]); // the mean comes first
  });

  it('leaves nothing but its result behind, and records nothing for gradients', () => {
    tidy(() => {
      const recorded = recordedWith([0.9, 0.9]);
      const learned = labeled.features.clone();
      learned.requiresGrad = true;
      const before = liveTensors();
      const { features } = selectPrototypes({ ...labeled, features: learned }, recorded, options);
      expect(liveTensors()).toBe(before + 1);
      expect(features.requiresGrad).toBe(false);
    });
  });
});
