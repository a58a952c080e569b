import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stripesPair, supervisedConfig } from '../../test/support/toy-images.js';
import { InterruptedError } from '../errors.js';
import { createEncoder } from '../models/index.js';
import { encodeSafetensors, listCheckpoints, readRun, type SafetensorsTensor } from '../runs/index.js';
import { Generator, setThreads, type Tensor } from '../tensor/index.js';
import { readInitialWeights } from './initial-weights.js';
import { loadRunModel } from './run-checkpoints.js';
import { train } from './train.js';

const root = mkdtempSync(join(tmpdir(), 'featmatch-weights-'));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(root, { recursive: true }));

const resNet18 = { name: 'resnet-18', batchNormMomentum: 0.1 } as const;
const encoderOf = (channels: number, seed: number) =>
  createEncoder(resNet18, { channels, generator: new Generator(seed) });

/** What torchvision's network of that many input channels has, of which the encoder's tensors are given. */
function torchvisionTensors(channels: number, seed = 7): Map<string, SafetensorsTensor> {
  const zeros = (...shape: number[]): SafetensorsTensor => ({
    dtype: 'F32',
    shape,
    data: new Float32Array(shape.reduce((product, length) => product * length, 1)),
  });
  const encoder = [...encoderOf(channels, seed).namedTensors()].map(
    ([name, tensor]): [string, SafetensorsTensor] => [
      name,
      { dtype: 'F32', shape: tensor.shape, data: tensor.data() as Float32Array },
    ],
  );
  const counters = encoder
    .filter(([name]) => name.endsWith('running_var'))
    .map(([name]): [string, SafetensorsTensor] => [
      name.replace('running_var', 'num_batches_tracked'),
      { dtype: 'I64', shape: [], data: new BigInt64Array(1) },
    ]);
  return new Map([...encoder, ...counters, ['fc.weight', zeros(1000, 512)], ['fc.bias', zeros(1000)]]);
}

let files = 0;
function written(tensors: ReadonlyMap<string, SafetensorsTensor>): string {
  const file = join(root, `${++files}.safetensors`);
  writeFileSync(file, encodeSafetensors(tensors));
  return file;
}

const read = (weights: string | null) => readInitialWeights({ model: { ...resNet18, weights } });

describe('the weights that an encoder begins with', () => {
  it('have the names that torchvision gives them', () => {
    // from torchvision.models.resnet18().state_dict()
    const names = [...torchvisionTensors(3).keys()];
    expect(names.length).toBe(122);
    for (const name of [
      'conv1.weight',
      'bn1.running_mean',
      'layer1.0.conv1.weight',
      'layer2.0.downsample.0.weight',
      'layer2.0.downsample.1.num_batches_tracked',
      'layer4.1.bn2.bias',
      'fc.weight',
    ]) {
      expect(names).toContain(name);
    }
  });

  it('come from the file, all but the classifier, which is told', () => {
    const weights = read(written(torchvisionTensors(3)));
    const encoder = encoderOf(3, 1);
    weights?.loadInto(encoder);
    const given = encoderOf(3, 7).namedTensors();
    for (const [name, tensor] of encoder.namedTensors()) {
      expect(tensor.equals(given.get(name) as Tensor), name).toBe(true);
    }
    expect(weights?.record.leftOut).toEqual(['fc.weight', 'fc.bias']);
  });

  it('are refused with all that is missing, unexpected or mis-shaped, and nothing is copied', () => {
    const tensors = torchvisionTensors(3);
    const conv1 = tensors.get('conv1.weight') as SafetensorsTensor;
    tensors.delete('layer4.1.bn2.bias');
    tensors.delete('bn1.running_mean');
    tensors.set('layer5.weight', conv1);
    tensors.set('layer1.0.bn1.weight', { dtype: 'F16', shape: [64], data: new Uint16Array(64) });
    const file = written(tensors);
    const encoder = encoderOf(1, 1);
    const before = encoder.parameters().map((parameter) => parameter.numbers().slice(0, 5));
    expect(() => read(file)?.loadInto(encoder)).toThrow(
      `model.weights: ${file} does not fit the network resnet-18: 2 missing: bn1.running_mean, layer4.1.bn2.bias; ` +
        '1 unexpected: layer5.weight; 2 of another shape or type: conv1.weight is F32 [64, 3, 7, 7], expected F32 ' +
        '[64, 1, 7, 7], layer1.0.bn1.weight is F16 [64], expected F32 [64]',
    );
    expect(encoder.parameters().map((parameter) => parameter.numbers().slice(0, 5))).toEqual(before);
  });

  it('are none where the configuration names none, and have to be there', () => {
    expect(read(null)).toBeNull();
    expect(readInitialWeights({ model: supervisedConfig().model })).toBeNull();
    expect(() => read(join(root, 'absent.safetensors'))).toThrow('cannot read');
  });
});

describe('a run that begins with given weights', () => {
  const channels = stripesPair().train.channels;
  const configOf = (weights: string, saveEvery: number) =>
    supervisedConfig(
      'model.name=resnet-18',
      `model.weights=${weights}`,
      'steps=2',
      `saveEvery=${saveEvery}`,
      'optimizer.learningRate=1e-9',
    );
  const conv1Of = (folder: string) =>
    loadRunModel(folder, () => {})
      .learning.network.namedTensors()
      .get('encoder.conv1.weight') as Tensor;

  it('records which, tells what is left out, and is resumed without the file', async () => {
    const file = written(torchvisionTensors(channels));
    const folder = join(root, 'run');
    const sentences: string[] = [];
    const controller = new AbortController();
    const config = configOf(file, 1);
    const interrupted = train(config, stripesPair(), {
      folder,
      signal: controller.signal,
      onStep: () => controller.abort('SIGINT'),
      onWarning: (sentence) => sentences.push(sentence),
    });
    await expect(interrupted).rejects.toThrow(InterruptedError);
    const { initialWeights } = readRun(folder).record;
    expect(initialWeights?.file).toBe(file);
    expect(initialWeights?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(sentences).toEqual([
      `the encoder begins with the weights of ${file} (SHA-256 ${initialWeights?.sha256.slice(0, 12)}…); its classifier ` +
        '(fc.weight, fc.bias) is left out, and a new one learns the classes of these data',
    ]);
    rmSync(file);
    await train(config, stripesPair(), { resume: folder });
    expect(readRun(folder).record.initialWeights).toEqual(initialWeights);
    const given = encoderOf(channels, 7).namedTensors().get('conv1.weight') as Tensor;
    expect(conv1Of(folder).sub(given).abs().amax(0).amax(0).amax(0).amax(0).item()).toBeLessThan(1e-6);
  });

  it('cannot go on from its first step with another file in its place', async () => {
    const file = written(torchvisionTensors(channels));
    const folder = join(root, 'another');
    const config = configOf(file, 0);
    const failed = train(config, stripesPair(), {
      folder,
      onWarning: () => {},
      onStep: () => {
        throw new Error('a power cut');
      },
    });
    await expect(failed).rejects.toThrow('a power cut');
    expect(listCheckpoints(folder)).toEqual([]);
    writeFileSync(file, encodeSafetensors(torchvisionTensors(channels, 8)));
    await expect(train(config, stripesPair(), { resume: folder, onWarning: () => {} })).rejects.toThrow(
      /has no checkpoint yet and began with other weights/,
    );
  });
});
