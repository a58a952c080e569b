/** The encoders of the published code, as its parameters' names and shapes tell them. */
import type { ModelOptions } from '../../src/models/index.js';
import type { ParityParameter } from './parity.js';

type Parameters = readonly Pick<ParityParameter, 'name' | 'shape'>[];

/** The model that has these parameters. @throws Error where they are of none that is known here */
export function publishedModel(parameters: Parameters): ModelOptions {
  const outputsOf = (pattern: RegExp) =>
    parameters.filter(({ name }) => pattern.test(name)).map(({ shape }) => shape[0]);
  const blocks = outputsOf(/^1\.layer\.\d+\.conv1\.weight$/);
  if (blocks.length > 0) {
    return {
      name: 'wide-resnet',
      depth: 6 * blocks.length + 4,
      width: blocks[0] / 16,
      strides: [1, 2, 2],
      batchNormMomentum: 0.001,
      preActivation: 'first-only',
    };
  }
  if (outputsOf(/^0\.3\.weight$/).length > 0) return { name: 'cnn-13', batchNormMomentum: 0.1 };
  if (outputsOf(/^4\.0\.conv1\.weight$/).length > 0) return { name: 'resnet-18', batchNormMomentum: 0.1 };
  throw new Error(`no network here has the parameters ${parameters.map(({ name }) => name).join(', ')}`);
}

/** In the published ResNet-18 torchvision's parts are a list; here they have torchvision's names. */
const RESNET_PARTS: Record<string, string> = {
  0: 'conv1',
  1: 'bn1',
  4: 'layer1',
  5: 'layer2',
  6: 'layer3',
  7: 'layer4',
};

/** Our name of a published parameter of that model. */
export function ownEncoderName({ name: model }: ModelOptions, published: string): string {
  if (model !== 'resnet-18') return `model.${published}`;
  return published.replace(/^\d+/, (position) => RESNET_PARTS[position]);
}
