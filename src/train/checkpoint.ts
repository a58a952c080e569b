/**
 * A checkpoint: everything that learns, what is needed to use it on other images, and what is needed to go on training.
 * One safetensors file.
 */
import { type Config, describeDifferences, resolveConfig } from '../config/index.js';
import { InputError } from '../errors.js';
import {
  readCheckpointFile,
  type SafetensorsData,
  type SafetensorsDtype,
  type SafetensorsTensor,
  writeCheckpointFile,
} from '../runs/index.js';
import { type DType, keep, type Tensor, tensor, tidy } from '../tensor/index.js';
import { NotFiniteError } from './divergence.js';
import { Learning } from './learning.js';
import { isZca, type Normalization } from './pixels.js';
import type { SavedState } from './state.js';
import type { Zca } from './zca.js';

/** What a model expects of an image, and what its outputs mean. */
export interface ModelDescription {
  readonly config: Config;
  /** training steps done */
  readonly step: number;
  readonly classes: readonly string[];
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly normalization: Normalization;
  /** how many it was trained on: what the algorithm remembers of each is in the checkpoint */
  readonly unlabeledImages: number;
}

const safetensorsTypes: Partial<Record<DType, SafetensorsDtype>> = {
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
};
/** Where the parts of the metadata stand, each as JSON. */
const DESCRIPTION = 'featmatch';
const STATE = 'training';
/** The tensors of a ZCA normalization; a standard one, a few numbers, stands in the description. */
const ZCA_MEAN = 'normalization.mean';
const ZCA_MATRIX = 'normalization.matrix';

/**
 * Writes the file atomically.
 * @throws NotFiniteError where the weights are no finite numbers, as nothing could go on from there
 * @throws InputError where it cannot be written
 */
export function saveCheckpoint(
  path: string,
  learning: Learning,
  { description, state }: { description: ModelDescription; state: SavedState },
): void {
  const { normalization } = description;
  const tensors = tidy(() => {
    const tensorsByName = learning.state();
    if (isZca(normalization)) {
      tensorsByName.set(ZCA_MEAN, normalization.mean).set(ZCA_MATRIX, normalization.matrix);
    }
    return new Map(
      [...tensorsByName].map(([name, value]): [string, SafetensorsTensor] => [name, toSafetensors(value)]),
    );
  });
  for (const [name, { data }] of tensors) {
    if (name.startsWith('network.') && !hasFiniteNumbers(data))
      throw new NotFiniteError(`the numbers of ${name} are not finite`);
  }
  const stored = isZca(normalization) ? { ...description, normalization: 'zca' } : description;
  writeCheckpointFile(path, tensors, {
    [DESCRIPTION]: JSON.stringify(stored),
    [STATE]: JSON.stringify(state),
  });
}

/** A checkpoint in memory. */
export interface LoadedCheckpoint {
  readonly config: Config;
  readonly state: SavedState;
  describe(): ModelDescription;
  /**
   * Makes a learning go on where the checkpoint was written: the same network, prototypes, optimizer and random numbers.
   * @throws InputError where it is of another configuration
   */
  restore(learning: Learning): void;
}

/** @throws InputError where the file is no checkpoint, or damaged */
export function readCheckpoint(path: string): LoadedCheckpoint {
  const { tensors, metadata } = readCheckpointFile(path);
  if (!(DESCRIPTION in metadata && STATE in metadata)) {
    throw new InputError(
      `${path} holds tensors but no description of a model: it is not a checkpoint of featmatch`,
    );
  }
  const saved = JSON.parse(metadata[DESCRIPTION]) as ModelDescription;
  const config = resolveConfig({ values: saved.config });
  return {
    config,
    state: JSON.parse(metadata[STATE]) as SavedState,
    describe: () => ({ ...saved, normalization: readZca(tensors) ?? saved.normalization, config }),
    restore(learning) {
      const differences = describeDifferences(learning.config, config);
      if (differences.length > 0) {
        throw new InputError(`${path} is of another configuration: ${differences.join('; ')}`);
      }
      load(learning, tensors, path);
    },
  };
}

/** A trained model that predicts. @throws InputError where the file is no checkpoint, or damaged */
export function loadModel(path: string): Model {
  return modelOf(readCheckpoint(path));
}

export interface Model {
  readonly learning: Learning;
  readonly description: ModelDescription;
}

export function modelOf({ describe, restore }: LoadedCheckpoint): Model {
  const description = describe();
  const learning = new Learning(description.config, {
    classes: description.classes.length,
    channels: description.channels,
    labelDistribution: description.classes.map(() => 1 / description.classes.length),
    unlabeledImages: description.unlabeledImages,
    labeledImages: () => [],
  });
  restore(learning);
  return { learning, description };
}

function readZca(tensors: ReadonlyMap<string, SafetensorsTensor>): Zca | null {
  const mean = tensors.get(ZCA_MEAN);
  const matrix = tensors.get(ZCA_MATRIX);
  if (mean === undefined || matrix === undefined) return null;
  return { mean: keep(tensor(mean.data, mean.shape)), matrix: keep(tensor(matrix.data, matrix.shape)) };
}

function load(learning: Learning, saved: ReadonlyMap<string, SafetensorsTensor>, path: string): void {
  tidy(() => {
    const state = new Map(
      [...saved].map(([name, { data, shape }]): [string, Tensor] => [name, tensor(data, shape)]),
    );
    try {
      learning.load(state);
    } catch (error) {
      throw new InputError(`${path} does not fit this configuration: ${(error as Error).message}`, {
        cause: error,
      });
    }
  });
}

function toSafetensors(value: Tensor): SafetensorsTensor {
  const dtype = safetensorsTypes[value.dtype];
  if (dtype === undefined) throw new Error(`a ${value.dtype} tensor cannot be saved`);
  return { dtype, shape: value.shape, data: value.data() as SafetensorsData };
}

function hasFiniteNumbers(data: SafetensorsData): boolean {
  return !(data instanceof Float32Array || data instanceof Float64Array) || data.every(Number.isFinite);
}
