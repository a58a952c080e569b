import { beforeAll, describe, expect, it } from 'vitest';
import { checkGradients } from '../../../test/support/gradient-check.js';
import { expectNumbers, expectTensor, irregular, tensorOf } from '../../../test/support/tensors.js';
import { Generator, setThreads, tensor } from '../../tensor/index.js';
import { FeatureAugmentation, type FeatureAugmentationOptions } from './feature-augmentation.js';

beforeAll(() => setThreads(1));

function augmentationOf(options: Partial<FeatureAugmentationOptions> = {}): FeatureAugmentation {
  return new FeatureAugmentation({
    featureDimension: 6,
    heads: 2,
    headDimension: 3,
    scaleAttention: true,
    attentionDropout: 0,
    generator: new Generator(1),
    ...options,
  });
}

describe('AugF', () => {
  it('computes equations (1) to (3)', () => {
    const augmentation = augmentationOf({
      featureDimension: 2,
      heads: 1,
      headDimension: 1,
      scaleAttention: false,
    });
    const weights = {
      'phi_e.0.weight': [[1, 0]], // e = f_0
      'phi_e.0.bias': [0],
      'phi_a.0.weight': [[1, 10]], // f_a = relu(e_x + 10 Σ w e_p)
      'phi_a.0.bias': [0],
      'phi_r.weight': [[1], [-1]],
      'phi_r.bias': [0, 0],
    };
    augmentation.load(new Map(Object.entries(weights).map(([name, rows]) => [name, tensorOf(rows)])));
    // e_x = ln 3, e_p = 1 and 0: scores ln 3 and 0, so that w = (3/4, 1/4) and Σ w e_p = 3/4
    const { refined, attention } = augmentation.attend(
      tensorOf([[Math.log(3), 100]]),
      tensorOf([
        [1, 7],
        [0, 7],
      ]),
    );
    expectTensor(attention[0], [[0.75, 0.25]]);
    const f_a = Math.log(3) + 7.5;
    expectTensor(refined, [[Math.log(3) + f_a, 100 - f_a]], { tolerance: 1e-6 });
  });

  it('divides scores by √d where it is asked to', () => {
    const [features, prototypes] = [irregular([4, 6]), irregular([5, 6], 2)];
    const attention = (scaleAttention: boolean) =>
      augmentationOf({ scaleAttention, dtype: 'float64' }).attend(features, prototypes).attention[0];
    // softmax(s / √3) is softmax(s)^(1/√3), normalized
    const powers = attention(false).pow(1 / Math.sqrt(3));
    expectNumbers(attention(true).numbers(), powers.div(powers.sum([1], true)).numbers());
  });

  it('names its parameters a kind after another, a head after another', () => {
    expect(
      [...augmentationOf().namedTensors()].map(([name, { shape }]) => `${name} ${shape.join('×')}`),
    ).toEqual([
      'phi_e.0.weight 3×6',
      'phi_e.0.bias 3',
      'phi_e.1.weight 3×6',
      'phi_e.1.bias 3',
      'phi_a.0.weight 3×6',
      'phi_a.0.bias 3',
      'phi_a.1.weight 3×6',
      'phi_a.1.bias 3',
      'phi_r.weight 6×6',
      'phi_r.bias 6',
    ]);
  });

  it('gives attention weights that sum to 1 in each head, and features that are not negative', () => {
    const { refined, attention } = augmentationOf().attend(
      irregular([5, 6]).to('float32'),
      irregular([7, 6], 2).to('float32'),
    );
    expect(attention.map(({ shape }) => shape)).toEqual([
      [5, 7],
      [5, 7],
    ]);
    for (const w of attention) expectNumbers(w.sum([1]).numbers(), [1, 1, 1, 1, 1]);
    expect(refined.shape).toEqual([5, 6]);
    expect(refined.numbers().every((x) => x >= 0)).toBe(true);
  });

  it('does not depend on the order of the prototypes', () => {
    const prototypes = irregular([4, 6], 2);
    const order = tensor(Int32Array.of(2, 0, 3, 1)).to('int64');
    const augmentation = augmentationOf({ dtype: 'float64' });
    const features = irregular([3, 6]);
    expectNumbers(
      augmentation.forward(features, prototypes.indexSelect(0, order)).numbers(),
      augmentation.forward(features, prototypes).numbers(),
      { tolerance: 1e-12 },
    );
  });

  it('drops attention weights while training, and only then', () => {
    const augmentation = augmentationOf({ attentionDropout: 0.5, dtype: 'float64' });
    const [features, prototypes] = [irregular([3, 6]).abs(), irregular([4, 6], 2)];
    const forward = () => augmentation.forward(features, prototypes).numbers();
    expect(forward()).not.toEqual(forward());
    augmentation.train(false);
    expect(forward()).toEqual(forward());
    expect(forward()).toEqual(augmentationOf({ dtype: 'float64' }).forward(features, prototypes).numbers());
  });

  it.each([true, false])('has the gradients of finite differences (scaled: %s)', (scaleAttention) => {
    const augmentation = augmentationOf({ scaleAttention, dtype: 'float64' });
    checkGradients(
      (features, prototypes) => augmentation.forward(features, prototypes),
      [irregular([3, 6]), irregular([4, 6], 2), ...augmentation.parameters()],
    );
  });

  it('has these gradients with dropout too', () => {
    const generator = new Generator(3);
    const augmentation = augmentationOf({ attentionDropout: 0.3, generator, dtype: 'float64' });
    const state = generator.state;
    checkGradients(
      (features, prototypes) => {
        generator.state = state;
        return augmentation.forward(features, prototypes);
      },
      [irregular([3, 6]), irregular([4, 6], 2), ...augmentation.parameters()],
    );
  });
});
