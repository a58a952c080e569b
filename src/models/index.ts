/** Encoders by name. */
import type { Generator } from '../tensor/index.js';
import type { Encoder } from './encoder.js';
import { WideResNet, type WideResNetOptions } from './wide-resnet.js';

export type { Encoder } from './encoder.js';
export { WideResNet } from './wide-resnet.js';

/** The settings of a model, by its name. */
export type ModelOptions = { readonly name: 'wide-resnet' } & Omit<
  WideResNetOptions,
  'channels' | 'generator' | 'dtype'
>;

/** Builds the encoder that the options name, with new weights. */
export function createEncoder(
  options: ModelOptions,
  context: { channels: number; generator: Generator },
): Encoder {
  return new WideResNet({ ...options, ...context });
}
