/**
 * The encoders of `src/models` as graphs: what each computes in evaluation mode, from the same options and the same
 * tensor names.
 */
import type { ModelOptions } from '../models/index.js';
import type { Graph, Value } from './graph.js';
import { batchNorm, batchNormRelu, convolution, globalAveragePool, maxPool, relu } from './layers.js';
import type { Weights } from './weights.js';

type OptionsOf<Name extends ModelOptions['name']> = Extract<ModelOptions, { name: Name }>;

/** Features (N, f_dim) of images (N, C, H, W). */
export function encode(
  graph: Graph,
  images: Value,
  model: { options: ModelOptions; weights: Weights },
): Value {
  const { options, weights } = model;
  switch (options.name) {
    case 'wide-resnet':
      return wideResNet(graph, images, { options, weights });
    case 'cnn-13':
      return cnn13(graph, images, weights);
    case 'resnet-18':
      return resNet18(graph, images, weights);
  }
}

function wideResNet(
  graph: Graph,
  images: Value,
  { options, weights }: { options: OptionsOf<'wide-resnet'>; weights: Weights },
): Value {
  const { depth, strides, preActivation } = options;
  const model = weights.within('model');
  let maps = convolution(graph, images, { weights: model.within(0), padding: 1 });
  for (const group of [0, 1, 2]) {
    for (let index = 0; index < (depth - 4) / 6; index++) {
      maps = wideBlock(graph, maps, {
        weights: model.within(1 + group, 'layer', index),
        stride: index === 0 ? strides[group] : 1,
        isActivated: preActivation === 'full' || (group === 0 && index === 0),
      });
    }
  }
  return globalAveragePool(graph, batchNormRelu(graph, maps, model.within(4)));
}

/** @param options.isActivated whether a block that changes the width sees its input normalized and rectified */
function wideBlock(
  graph: Graph,
  input: Value,
  { weights, stride, isActivated }: { weights: Weights; stride: number; isActivated: boolean },
): Value {
  const changesWidth = weights.has('convShortcut.weight');
  const activated = changesWidth && !isActivated ? input : batchNormRelu(graph, input, weights.within('bn1'));
  const shortcut = changesWidth
    ? convolution(graph, activated, { weights: weights.within('convShortcut'), stride })
    : input;
  const hidden = convolution(graph, activated, { weights: weights.within('conv1'), stride, padding: 1 });
  const residual = convolution(graph, batchNormRelu(graph, hidden, weights.within('bn2')), {
    weights: weights.within('conv2'),
    padding: 1,
  });
  return graph.apply('Add', [residual, shortcut]);
}

/** Padding of each convolution of the three groups. */
const CNN13_PADDING = [
  [1, 1, 1],
  [1, 1, 1],
  [0, 0, 0],
];

function cnn13(graph: Graph, images: Value, weights: Weights): Value {
  let maps = images;
  CNN13_PADDING.forEach((group, number) => {
    if (number > 0) maps = maxPool(graph, maps, { size: 2 });
    group.forEach((padding, index) => {
      const [conv, norm] = [3 * index, 3 * index + 1].map((name) => weights.within('model', number, name));
      maps = batchNormRelu(graph, convolution(graph, maps, { weights: conv, padding }), norm);
    });
  });
  return globalAveragePool(graph, maps);
}

function resNet18(graph: Graph, images: Value, weights: Weights): Value {
  const stem = convolution(graph, images, { weights: weights.within('conv1'), stride: 2, padding: 3 });
  let maps = maxPool(graph, batchNormRelu(graph, stem, weights.within('bn1')), {
    size: 3,
    stride: 2,
    padding: 1,
  });
  for (const layer of [1, 2, 3, 4]) {
    for (const block of [0, 1]) {
      const stride = layer > 1 && block === 0 ? 2 : 1;
      maps = basicBlock(graph, maps, { weights: weights.within(`layer${layer}`, block), stride });
    }
  }
  return globalAveragePool(graph, maps);
}

function basicBlock(
  graph: Graph,
  input: Value,
  { weights, stride }: { weights: Weights; stride: number },
): Value {
  const conv1 = convolution(graph, input, { weights: weights.within('conv1'), stride, padding: 1 });
  const hidden = batchNormRelu(graph, conv1, weights.within('bn1'));
  const conv2 = convolution(graph, hidden, { weights: weights.within('conv2'), padding: 1 });
  const residual = batchNorm(graph, conv2, weights.within('bn2'));
  const downsample = weights.within('downsample');
  const shortcut = downsample.has('0.weight')
    ? batchNorm(
        graph,
        convolution(graph, input, { weights: downsample.within(0), stride }),
        downsample.within(1),
      )
    : input;
  return relu(graph, graph.apply('Add', [residual, shortcut]));
}
