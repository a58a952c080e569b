/**
 * Wide residual network, WRN-depth-width (Zagoruyko and Komodakis 2016), without its classifier.
 * Parameter names are those of the published FeatMatch code.
 */
import { BatchNorm2d, Conv2d, type InitializeOptions, Module, normalizedConvolution } from '../nn/index.js';
import { globalAveragePool, type Tensor, tidy } from '../tensor/index.js';
import type { Encoder, Stage } from './encoder.js';

export interface WideResNetOptions extends InitializeOptions {
  readonly channels: number;
  /** 6n + 4: n blocks in each of the three groups */
  readonly depth: number;
  readonly width: number;
  /** of the three groups; the paper's: 1, 2, 2 */
  readonly strides: readonly number[];
  readonly batchNormMomentum: number;
  /**
   * What a block that changes the width sees. `full`: the normalized and rectified input, as the paper defines
   * it. `first-only`: so in the first block of the network alone, elsewhere the raw input, as the published code
   * computes it (it computes the first batch-norm's output of such a block and does not use it).
   */
  readonly preActivation: 'full' | 'first-only';
}

class Block extends Module {
  private readonly bn1: BatchNorm2d;
  private readonly conv1: Conv2d;
  private readonly bn2: BatchNorm2d;
  private readonly conv2: Conv2d;
  private readonly convShortcut: Conv2d | null;
  private readonly ignoresFirstNorm: boolean;

  constructor(
    inputs: number,
    outputs: number,
    options: WideResNetOptions & { stride: number; isFirst: boolean },
  ) {
    super();
    const { stride, isFirst, preActivation, generator, batchNormMomentum, dtype } = options;
    const norm = { momentum: batchNormMomentum, dtype };
    this.bn1 = new BatchNorm2d(inputs, norm);
    this.conv1 = new Conv2d(inputs, outputs, { size: 3, stride, padding: 1, generator, dtype });
    this.bn2 = new BatchNorm2d(outputs, norm);
    this.conv2 = new Conv2d(outputs, outputs, { size: 3, padding: 1, generator, dtype });
    this.convShortcut =
      inputs === outputs && stride === 1
        ? null
        : new Conv2d(inputs, outputs, { size: 1, stride, generator, dtype });
    this.ignoresFirstNorm = this.convShortcut !== null && !isFirst && preActivation === 'first-only';
  }

  forward(input: Tensor): Tensor {
    return tidy(() => {
      const [shortcut, hidden] = this.halves(input);
      return normalizedConvolution(this.bn2, this.conv2, hidden, shortcut);
    });
  }

  /** What is added at the end, and what the first convolution gives. */
  private halves(input: Tensor): [shortcut: Tensor, hidden: Tensor] {
    if (this.convShortcut === null) return [input, normalizedConvolution(this.bn1, this.conv1, input)];
    const activated = this.ignoresFirstNorm ? input : this.bn1.forwardRelu(input);
    return [this.convShortcut.forward(activated), this.conv1.forward(activated)];
  }
}

class Group extends Module {
  private readonly layer: Block[];

  constructor(
    inputs: number,
    outputs: number,
    options: WideResNetOptions & { stride: number; isFirst: boolean },
  ) {
    super();
    const blocks = (options.depth - 4) / 6;
    this.layer = Array.from({ length: blocks }, (_, index) =>
      index === 0
        ? new Block(inputs, outputs, options)
        : new Block(outputs, outputs, { ...options, stride: 1, isFirst: false }),
    );
  }

  forward(input: Tensor): Tensor {
    return tidy(() => this.layer.reduce((features, block) => block.forward(features), input));
  }
}

export class WideResNet extends Module implements Encoder {
  readonly featureDimension: number;
  private readonly model: [Conv2d, Group, Group, Group, BatchNorm2d];

  /** @throws RangeError where the depth is not 6n + 4 */
  constructor(options: WideResNetOptions) {
    super();
    const { channels, depth, width, strides, generator, batchNormMomentum, dtype } = options;
    if (!Number.isInteger((depth - 4) / 6) || depth < 10) {
      throw new RangeError(
        `the depth of a wide residual network is 10, 16, 22, 28, … (6n + 4), not ${depth}`,
      );
    }
    const widths = [16, 16 * width, 32 * width, 64 * width];
    this.featureDimension = widths[3];
    this.model = [
      new Conv2d(channels, widths[0], { size: 3, padding: 1, generator, dtype }),
      new Group(widths[0], widths[1], { ...options, stride: strides[0], isFirst: true }),
      new Group(widths[1], widths[2], { ...options, stride: strides[1], isFirst: false }),
      new Group(widths[2], widths[3], { ...options, stride: strides[2], isFirst: false }),
      new BatchNorm2d(widths[3], { momentum: batchNormMomentum, dtype }),
    ];
  }

  forward(images: Tensor): Tensor {
    return tidy(() => this.stages().reduce((input, stage) => stage(input), images));
  }

  stages(): Stage[] {
    const [stem, group1, group2, group3, norm] = this.model;
    return [
      (images) => group1.forward(stem.forward(images)),
      (maps) => group2.forward(maps),
      (maps) => globalAveragePool(norm.forwardRelu(group3.forward(maps))), // (N, 64·width)
    ];
  }
}
