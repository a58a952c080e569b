/** Encoders by name. */
import type { Generator } from '../tensor/index.js';
import { Cnn13, type Cnn13Options } from './cnn13.js';
import type { Encoder } from './encoder.js';
import { ResNet18, type ResNet18Options } from './resnet18.js';
import { WideResNet, type WideResNetOptions } from './wide-resnet.js';

export type { Encoder } from './encoder.js';

/** What a model is built from beside its own settings. */
interface Context {
  readonly channels: number;
  readonly generator: Generator;
}

type SettingsOf<Options> = Omit<Options, keyof Context | 'dtype'>;

/** The settings of a model, by its name. */
export type ModelOptions =
  | ({ readonly name: 'wide-resnet' } & SettingsOf<WideResNetOptions>)
  | ({ readonly name: 'cnn-13' } & SettingsOf<Cnn13Options>)
  | ({ readonly name: 'resnet-18' } & SettingsOf<ResNet18Options>);

/** Builds the encoder that the options name, with new weights. */
export function createEncoder(options: ModelOptions, context: Context): Encoder {
  switch (options.name) {
    case 'wide-resnet':
      return new WideResNet({ ...options, ...context });
    case 'cnn-13':
      return new Cnn13({ ...options, ...context });
    case 'resnet-18':
      return new ResNet18({ ...options, ...context });
  }
}
