/**
 * Residual network with 18 layers (He et al. 2016), without its classifier. Tensor names are torchvision's, so that its
 * weights load.
 */
import { BatchNorm2d, Conv2d, type InitializeOptions, Module, normalizedConvolution } from '../nn/index.js';
import { globalAveragePool, maxPool2d, type Tensor, tidy } from '../tensor/index.js';
import type { Encoder, Stage } from './encoder.js';

export interface ResNet18Options extends InitializeOptions {
  readonly channels: number;
  /** share of a batch in the running statistics of batch normalization */
  readonly batchNormMomentum: number;
}

class BasicBlock extends Module {
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm2d;
  private readonly conv2: Conv2d;
  private readonly bn2: BatchNorm2d;
  private readonly downsample: [Conv2d, BatchNorm2d] | null;

  constructor(inputs: number, outputs: number, options: ResNet18Options & { stride: number }) {
    super();
    const { stride, generator, dtype, batchNormMomentum: momentum } = options;
    this.conv1 = new Conv2d(inputs, outputs, { size: 3, stride, padding: 1, generator, dtype });
    this.bn1 = new BatchNorm2d(outputs, { momentum, dtype });
    this.conv2 = new Conv2d(outputs, outputs, { size: 3, padding: 1, generator, dtype });
    this.bn2 = new BatchNorm2d(outputs, { momentum, dtype });
    this.downsample =
      inputs === outputs && stride === 1
        ? null
        : [
            new Conv2d(inputs, outputs, { size: 1, stride, generator, dtype }),
            new BatchNorm2d(outputs, { momentum, dtype }),
          ];
  }

  forward(input: Tensor): Tensor {
    return tidy(() => {
      const hidden = normalizedConvolution(this.bn1, this.conv2, this.conv1.forward(input));
      const residual = this.bn2.forward(hidden);
      const [conv, norm] = this.downsample ?? [];
      const shortcut = conv === undefined || norm === undefined ? input : norm.forward(conv.forward(input));
      return residual.add(shortcut).relu();
    });
  }
}

export class ResNet18 extends Module implements Encoder {
  readonly featureDimension = 512;
  private readonly conv1: Conv2d;
  private readonly bn1: BatchNorm2d;
  private readonly layer1: BasicBlock[];
  private readonly layer2: BasicBlock[];
  private readonly layer3: BasicBlock[];
  private readonly layer4: BasicBlock[];

  constructor(options: ResNet18Options) {
    super();
    const { channels, generator, dtype, batchNormMomentum: momentum } = options;
    const layer = (inputs: number, outputs: number, stride: number) => [
      new BasicBlock(inputs, outputs, { ...options, stride }),
      new BasicBlock(outputs, outputs, { ...options, stride: 1 }),
    ];
    this.conv1 = new Conv2d(channels, 64, { size: 7, stride: 2, padding: 3, generator, dtype });
    this.bn1 = new BatchNorm2d(64, { momentum, dtype });
    this.layer1 = layer(64, 64, 1);
    this.layer2 = layer(64, 128, 2);
    this.layer3 = layer(128, 256, 2);
    this.layer4 = layer(256, 512, 2);
  }

  forward(images: Tensor): Tensor {
    return tidy(() => this.stages().reduce((input, stage) => stage(input), images));
  }

  stages(): Stage[] {
    const through = (blocks: readonly BasicBlock[]) => (input: Tensor) =>
      blocks.reduce((maps, block) => block.forward(maps), input);
    const stem = (images: Tensor) =>
      maxPool2d(this.bn1.forwardRelu(this.conv1.forward(images)), 3, { stride: 2, padding: 1 });
    const [first, last] = [through(this.layer1), through(this.layer4)];
    return [
      (images) => first(stem(images)),
      through(this.layer2),
      through(this.layer3),
      (maps) => globalAveragePool(last(maps)), // (N, 512)
    ];
  }
}
