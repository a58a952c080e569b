import { beforeAll, describe, expect, it } from 'vitest';
import {
  expectParity,
  expectRelative,
  fillParameter,
  GRADIENT_TOLERANCE,
  type ParameterFill,
  type ParityParameter,
  parityFiles,
  parityJson,
  parityTensors,
  roundingOf,
} from '../../test/support/parity.js';
import { ownEncoderName, publishedModel } from '../../test/support/published-networks.js';
import { Generator, type MemoryFormat, noGrad, setThreads, type Tensor, tidy } from '../tensor/index.js';
import { createEncoder } from './index.js';

beforeAll(() => setThreads(1));

interface BackboneParity {
  readonly arch: string;
  readonly parameter_fill: ParameterFill;
  readonly input_shape: readonly number[];
  readonly feature_dim: number;
  readonly num_parameters: number;
  readonly parameters: readonly (ParityParameter & { readonly grad_ramp_dot: number | null })[];
}

/**
 * Of a gradient's projection, relative to its norm. A rectifier whose input is next to 0 may be on here and off there, as
 * it is between PyTorch in single and in double precision: up to 4e-3 of the norm. A wrong axis is off by all of it.
 */
const PROJECTION_TOLERANCE = 1e-2;

const NETWORKS = parityFiles(/^backbone_.+\.json$/);
const FORMATS: MemoryFormat[] = ['contiguous', 'channels-last'];

describe.each(NETWORKS)('the published network of %s', (file) => {
  const parity = parityJson<BackboneParity>(file);
  const { arch } = parity;
  const stored = parityTensors('backbones.safetensors');
  const model = publishedModel(parity.parameters);
  const ownName = (published: string) => ownEncoderName(model, published);
  const build = () => createEncoder(model, { channels: parity.input_shape[1], generator: new Generator(1) });

  it('has the same parameters, in the same order', () => {
    const network = build();
    const own = [...network.namedParameters()].map(([name, { shape }]) => ({ name, shape }));
    expect(own).toEqual(parity.parameters.map(({ name, shape }) => ({ name: ownName(name), shape })));
    expect(network.parameters().reduce((sum, { size }) => sum + size, 0)).toBe(parity.num_parameters);
    expect(network.featureDimension).toBe(parity.feature_dim);
  });

  it.each(FORMATS)('gives the same features and gradients, %s', (format) => {
    tidy(() => {
      const network = build();
      const own = network.namedParameters();
      noGrad(() => {
        for (const parameter of parity.parameters) {
          (own.get(ownName(parameter.name)) as Tensor).copyInPlace(
            fillParameter(parameter, parity.parameter_fill),
          );
        }
      });
      const images = stored(`${arch}.input`).contiguous(format);
      const features = network.forward(images);
      expectParity(features, stored(`${arch}.train_features`));

      features
        .mul(stored(`${arch}.loss_weights`))
        .sum()
        .backward();
      const rounding = roundingOf(parity.parameters);
      for (const { name, grad_l2, grad_ramp_dot } of parity.parameters) {
        const gradient = own.get(ownName(name))?.grad ?? null;
        if (grad_l2 === null || grad_ramp_dot === null) {
          expect(gradient, `the gradient of ${name}`).toBeNull();
          continue;
        }
        const derivatives = gradient?.numbers() ?? [];
        expectRelative(euclideanNorm(derivatives), grad_l2, GRADIENT_TOLERANCE, rounding);
        expectRelative(
          rampDot(derivatives),
          grad_ramp_dot,
          PROJECTION_TOLERANCE,
          Math.max(grad_l2, rounding),
        );
      }

      // The pass above has moved the running statistics once.
      network.train(false);
      expectParity(network.forward(images), stored(`${arch}.eval_features`));
    });
  });
});

function euclideanNorm(numbers: readonly number[]): number {
  return Math.sqrt(numbers.reduce((sum, number) => sum + number * number, 0));
}

/** Σ derivative · ramp, a ramp from −1 to 1 over all derivatives: tells permutations apart, which a norm does not. */
function rampDot(derivatives: readonly number[]): number {
  return derivatives.reduce(
    (sum, derivative, i) => sum + derivative * (-1 + (2 * i) / (derivatives.length - 1)),
    0,
  );
}
