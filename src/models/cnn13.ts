/**
 * The convolutional network with 13 layers of Laine and Aila 2017 (Temporal Ensembling, table 5), without its noise,
 * dropout and classifier, and with the plain rectifier, as the published FeatMatch code has it. Tensor names are that
 * code's.
 */
import { BatchNorm2d, Conv2d, type InitializeOptions, Module, normalizedConvolution } from '../nn/index.js';
import { globalAveragePool, maxPool2d, type Tensor, tidy } from '../tensor/index.js';
import type { Encoder, Stage } from './encoder.js';

export interface Cnn13Options extends InitializeOptions {
  readonly channels: number;
  /** share of a batch in the running statistics of batch normalization */
  readonly batchNormMomentum: number;
}

interface Layer {
  readonly outputs: number;
  readonly size: number;
  readonly padding: number;
}

const GROUPS: readonly (readonly Layer[])[] = [
  Array(3).fill({ outputs: 128, size: 3, padding: 1 }),
  Array(3).fill({ outputs: 256, size: 3, padding: 1 }),
  [
    { outputs: 512, size: 3, padding: 0 },
    { outputs: 256, size: 1, padding: 0 },
    { outputs: 128, size: 1, padding: 0 },
  ],
];

/** Convolution, normalization and rectifier, several times. */
class Group extends Module {
  private readonly convolutions: readonly Conv2d[];
  private readonly norms: readonly BatchNorm2d[];

  constructor(inputs: number, layers: readonly Layer[], options: Cnn13Options) {
    super();
    const { batchNormMomentum: momentum, generator, dtype } = options;
    this.convolutions = layers.map(({ outputs, size, padding }, index) => {
      const before = index === 0 ? inputs : layers[index - 1].outputs;
      return new Conv2d(before, outputs, { size, padding, bias: true, generator, dtype });
    });
    this.norms = layers.map(({ outputs }) => new BatchNorm2d(outputs, { momentum, dtype }));
  }

  forward(input: Tensor): Tensor {
    return tidy(() => {
      const [first, ...others] = this.convolutions;
      const last = this.norms[others.length];
      const convolved = others.reduce(
        (maps, convolution, index) => normalizedConvolution(this.norms[index], convolution, maps),
        first.forward(input),
      );
      return last.forwardRelu(convolved);
    });
  }

  /** The published names are positions in a list that has the rectifiers too: 0, 1, 3, 4, 6, 7. */
  protected override *parts(): Iterable<[string, Module]> {
    for (const [index, convolution] of this.convolutions.entries()) {
      yield [String(3 * index), convolution];
      yield [String(3 * index + 1), this.norms[index]];
    }
  }
}

export class Cnn13 extends Module implements Encoder {
  readonly featureDimension = 128;
  private readonly model: [Group, Group, Group];

  constructor(options: Cnn13Options) {
    super();
    this.model = [
      new Group(options.channels, GROUPS[0], options),
      new Group(128, GROUPS[1], options),
      new Group(256, GROUPS[2], options),
    ];
  }

  /** @param images at least 12 pixels high and wide: halved twice, the maps lose a border of one pixel */
  forward(images: Tensor): Tensor {
    return tidy(() => this.stages().reduce((input, stage) => stage(input), images));
  }

  stages(): Stage[] {
    const [group1, group2, group3] = this.model;
    return [
      (images) => maxPool2d(group1.forward(images), 2),
      (half) => maxPool2d(group2.forward(half), 2),
      (quarter) => globalAveragePool(group3.forward(quarter)), // (N, 128)
    ];
  }
}
