import { FeatMatchNetwork } from '../ssl/featmatch/network.js';
import { type Tensor, tidy } from '../tensor/index.js';
import type { loadModel } from '../train/index.js';
import { isZca } from '../train/pixels.js';
import type { Weight } from './graph.js';
import type { Augmentation, PixelNormalization, TrainedNetwork } from './inference-graph.js';

type LoadedModel = ReturnType<typeof loadModel>;

/** The network that a loaded checkpoint predicts with, copied out of the engine. */
export function trainedNetwork({ learning, description }: LoadedModel): TrainedNetwork {
  const { config, height, width, channels } = description;
  const network = learning.evaluated;
  return {
    model: config.model,
    tensors: new Map([...network.namedTensors()].map(([name, tensor]) => [name, toWeight(tensor)])),
    normalization: toNormalization(description.normalization),
    size: { height, width, channels },
    augmentation: network instanceof FeatMatchNetwork ? augmentationOf(network, learning) : null,
  };
}

/** Null without AugF, and where no prototypes were made yet: then features are classified as they are. */
function augmentationOf(
  { augmentation }: FeatMatchNetwork,
  { learner }: LoadedModel['learning'],
): Augmentation | null {
  if (augmentation === null) return null;
  const prototypes = tidy(() => {
    const features = learner.state().get('prototypes');
    if (features === undefined) throw new Error('the algorithm has AugF and no prototypes in its state');
    return toWeight(features);
  });
  return prototypes.shape[0] === 0 ? null : { prototypes, scale: augmentation.scale };
}

function toNormalization(normalization: LoadedModel['description']['normalization']): PixelNormalization {
  if (!isZca(normalization)) return normalization;
  return { mean: toWeight(normalization.mean), matrix: toWeight(normalization.matrix) };
}

function toWeight(tensor: Tensor): Weight {
  return { shape: tensor.shape, data: Float32Array.from(tensor.data() as Float32Array) };
}
