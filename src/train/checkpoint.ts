/** A checkpoint: everything that learns, and what is needed to use it on other images. One safetensors file. */
import { type Config, resolveConfig } from '../config/index.js';
import { InputError } from '../errors.js';
import {
  readCheckpointFile,
  type SafetensorsData,
  type SafetensorsDtype,
  type SafetensorsTensor,
  writeCheckpointFile,
} from '../runs/index.js';
import { type DType, keep, type Tensor, tensor, tidy } from '../tensor/index.js';
import { Learning } from './learning.js';
import { isZca, type Normalization } from './pixels.js';
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
const METADATA_KEY = 'featmatch';
/** The tensors of a ZCA normalization; a standard one, a few numbers, stands in the description. */
const ZCA_MEAN = 'normalization.mean';
const ZCA_MATRIX = 'normalization.matrix';

/** Writes the file atomically. @throws InputError where it cannot be written */
export function saveCheckpoint(path: string, learning: Learning, description: ModelDescription): void {
  const { normalization } = description;
  const tensors = tidy(() => {
    const state = learning.state();
    if (isZca(normalization)) state.set(ZCA_MEAN, normalization.mean).set(ZCA_MATRIX, normalization.matrix);
    return new Map(
      [...state].map(([name, value]): [string, SafetensorsTensor] => [name, toSafetensors(value)]),
    );
  });
  const stored = isZca(normalization) ? { ...description, normalization: 'zca' } : description;
  writeCheckpointFile(path, tensors, { [METADATA_KEY]: JSON.stringify(stored) });
}

/** Continues where the checkpoint was written: the same network, prototypes, optimizer and random numbers. */
export function loadCheckpoint(path: string, learning: Learning): void {
  restore(learning, readCheckpointFile(path).tensors, path);
}

/** A trained model that predicts. @throws InputError where the file is no checkpoint */
export function loadModel(path: string): { learning: Learning; description: ModelDescription } {
  const { tensors, metadata } = readCheckpointFile(path);
  const text = metadata[METADATA_KEY];
  if (text === undefined) {
    throw new InputError(
      `${path} holds tensors but no description of a model: it is not a checkpoint of featmatch`,
    );
  }
  const saved = JSON.parse(text) as ModelDescription;
  const normalization = readZca(tensors) ?? saved.normalization;
  const description = { ...saved, normalization, config: resolveConfig({ values: saved.config }) };
  const learning = new Learning(description.config, {
    classes: description.classes.length,
    channels: description.channels,
    labelDistribution: description.classes.map(() => 1 / description.classes.length),
    unlabeledImages: description.unlabeledImages,
    labeledImages: () => [],
  });
  restore(learning, tensors, path);
  return { learning, description };
}

function readZca(tensors: ReadonlyMap<string, SafetensorsTensor>): Zca | null {
  const mean = tensors.get(ZCA_MEAN);
  const matrix = tensors.get(ZCA_MATRIX);
  if (mean === undefined || matrix === undefined) return null;
  return { mean: keep(tensor(mean.data, mean.shape)), matrix: keep(tensor(matrix.data, matrix.shape)) };
}

function restore(learning: Learning, saved: ReadonlyMap<string, SafetensorsTensor>, path: string): void {
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
