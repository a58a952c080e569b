/** AugF with several heads, as published: the attention is scaled, dropout is off. */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  expectParity,
  expectRelative,
  fillParameter,
  GRADIENT_TOLERANCE,
  type ParameterFill,
  type ParityParameter,
  parityJson,
  parityTensors,
} from '../../../test/support/parity.js';
import { concatenate, Generator, noGrad, setThreads, stack, type Tensor, tidy } from '../../tensor/index.js';
import { FeatureAugmentation } from './feature-augmentation.js';

beforeAll(() => setThreads(1));

interface AugmentationParity {
  readonly parameter_fill: ParameterFill;
  readonly heads: number;
  readonly fdim: number;
  readonly parameters: readonly ParityParameter[];
}

describe.each(Object.entries(parityJson<Record<string, AugmentationParity>>('augf.json')))(
  'the published module %s',
  (name, { heads, fdim, parameters, parameter_fill }) => {
    it('gives the same features, attention and gradients', () => {
      tidy(() => {
        const augmentation = new FeatureAugmentation({
          featureDimension: fdim,
          heads,
          headDimension: fdim / heads,
          scaleAttention: true,
          attentionDropout: 0,
          generator: new Generator(1),
        });
        const own = augmentation.namedParameters();
        expect(own.size).toBe(parameters.length);
        noGrad(() => {
          for (const parameter of parameters) {
            own.get(ownName(parameter.name))?.copyInPlace(ownNumbers(parameter, parameter_fill));
          }
        });
        const stored = parityTensors('augf.safetensors');
        const features = stored(`${name}.fx`);
        features.requiresGrad = true;
        const { refined, attention } = augmentation.attend(features, stored(`${name}.prototypes`));
        expectParity(refined, stored(`${name}.g`));
        expectParity(stack(attention, 1), stored(`${name}.w`)); // (N, heads, P)

        refined
          .mul(stored(`${name}.loss_weights`))
          .sum()
          .backward();
        expectParity(features.grad as Tensor, stored(`${name}.grad_fx`), GRADIENT_TOLERANCE);
        for (const parameter of parameters) {
          const gradient = own.get(ownName(parameter.name))?.grad as Tensor;
          expectRelative(
            gradient.mul(gradient).sum().sqrt().item(),
            parameter.grad_l2 as number,
            GRADIENT_TOLERANCE,
          );
        }
      });
    });
  },
);

/** `embd0.weight` → `phi_e.0.weight`, `fc0.weight` → `phi_a.0.weight`, `fc.weight` → `phi_r.weight` */
function ownName(published: string): string {
  return published
    .replace(/^embd(?=\d)/, 'phi_e.')
    .replace(/^fc(?=\d)/, 'phi_a.')
    .replace(/^fc\./, 'phi_r.');
}

/** The published φ_a sees [attended, e_x], ours [e_x, attended] as the paper has it: its columns change places. */
function ownNumbers(parameter: ParityParameter, fill: ParameterFill): Tensor {
  const numbers = fillParameter(parameter, fill);
  if (!/^fc\d+\.weight$/.test(parameter.name)) return numbers;
  const half = parameter.shape[1] / 2;
  return concatenate([numbers.narrow(1, half, half), numbers.narrow(1, 0, half)], 1);
}
