/**
 * Weights that an encoder begins with, from a safetensors file with its tensors' names; those of ResNet-18 are
 * torchvision's, so that a network trained on ImageNet can be the start.
 */
import { createHash } from 'node:crypto';
import type { Config } from '../config/index.js';
import { InputError } from '../errors.js';
import type { Encoder } from '../models/index.js';
import {
  decodeSafetensors,
  type InitialWeightsRecord,
  readBytes,
  type SafetensorsTensor,
} from '../runs/index.js';
import { type Tensor, tensor, tidy } from '../tensor/index.js';

export interface InitialWeights {
  readonly record: InitialWeightsRecord;
  /** Copies the weights into an encoder. @throws InputError naming every tensor that is missing, unexpected or mis-shaped */
  loadInto(encoder: Encoder): void;
}

/** torchvision's classifier, whose classes are others, and counters of batches, which nothing reads. */
const HEAD = /^fc\.(weight|bias)$/;
const COUNTER = /(^|\.)num_batches_tracked$/;

/**
 * What the configuration names, or null.
 * @throws InputError where the file cannot be read or is none
 */
export function readInitialWeights({ model }: Pick<Config, 'model'>): InitialWeights | null {
  const file = 'weights' in model ? model.weights : null;
  if (file === null) return null;
  const bytes = readBytes(file);
  const stored = decodeSafetensors(bytes, file).tensors;
  const names = [...stored.keys()];
  const encoderNames = names.filter((name) => !HEAD.test(name) && !COUNTER.test(name));
  return {
    record: {
      file,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      leftOut: names.filter((name) => HEAD.test(name)),
    },
    loadInto(encoder) {
      const own = encoder.namedTensors();
      const problems = [
        problem(
          'missing',
          [...own.keys()].filter((name) => !stored.has(name)),
        ),
        problem(
          'unexpected',
          encoderNames.filter((name) => !own.has(name)),
        ),
        problem(
          'of another shape or type',
          [...own].flatMap(([name, { shape }]) => misfit(name, stored.get(name), shape)),
        ),
      ].filter((line) => line !== '');
      if (problems.length > 0) {
        throw new InputError(
          `model.weights: ${file} does not fit the network ${model.name}: ${problems.join('; ')}`,
        );
      }
      tidy(() => {
        encoder.load(
          new Map(
            encoderNames.map((name): [string, Tensor] => {
              const { data, shape } = stored.get(name) as SafetensorsTensor;
              return [name, tensor(data, shape)];
            }),
          ),
        );
      });
    },
  };
}

/** What is said of them where training begins: what they are, and what of the file is not used. */
export function describeInitialWeights({ file, sha256, leftOut }: InitialWeightsRecord): string {
  const rest =
    leftOut.length === 0
      ? 'it has no classifier'
      : `its classifier (${leftOut.join(', ')}) is left out, and a new one learns the classes of these data`;
  return `the encoder begins with the weights of ${file} (SHA-256 ${sha256.slice(0, 12)}…); ${rest}`;
}

function problem(what: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `${names.length} ${what}: ${names.join(', ')}`;
}

function misfit(name: string, stored: SafetensorsTensor | undefined, shape: readonly number[]): string[] {
  if (stored === undefined) return [];
  const isFloat = stored.dtype === 'F32' || stored.dtype === 'F64';
  if (isFloat && String(stored.shape) === String(shape)) return [];
  return [`${name} is ${stored.dtype} [${stored.shape.join(', ')}], expected F32 [${shape.join(', ')}]`];
}
