/** A small exported model of random weights, without a training run. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { buildInferenceGraph } from '../../src/export/inference-graph.js';
import { encodeModel } from '../../src/export/onnx.js';
import { FILES, type Manifest } from '../../src/infer/manifest.js';
import { createEncoder, type ModelOptions } from '../../src/models/index.js';
import { FeatMatchNetwork } from '../../src/ssl/featmatch/network.js';
import { Generator, type Tensor, uniform } from '../../src/tensor/index.js';

const MODEL: ModelOptions = {
  name: 'wide-resnet',
  depth: 10,
  width: 1,
  strides: [2, 2, 2],
  batchNormMomentum: 0.1,
  preActivation: 'full',
};
const INPUT = { height: 16, width: 12, channels: 1 } as const;

const weightOf = (value: Tensor) => ({ shape: value.shape, data: value.data() as Float32Array });

/** Writes model.onnx and model.json of a network with AugF and three prototypes, and gives what model.json says. */
export async function writeExportedModel(folder: string, changes: Partial<Manifest> = {}): Promise<Manifest> {
  const generator = new Generator(1);
  const context = {
    createEncoder: () => createEncoder(MODEL, { channels: INPUT.channels, generator }),
    classes: 3,
    generator,
  };
  const network = new FeatMatchNetwork({ heads: 2, scaleAttention: true, attentionDropout: 0 }, context);
  const { featureDimension } = network.encoder;
  const graph = buildInferenceGraph(
    {
      model: MODEL,
      tensors: new Map([...network.namedTensors()].map(([name, value]) => [name, weightOf(value)])),
      normalization: { mean: [120], standardDeviation: [60] },
      size: INPUT,
      augmentation: {
        prototypes: weightOf(uniform([3, featureDimension], 0, 1, { generator })),
        scale: 0.2,
      },
    },
    { references: [new Float32Array(featureDimension).fill(1)] },
  );
  const file = encodeModel(graph, { precision: 'float32', version: '0' });
  const tiles = sharp({ create: { width: 24, height: 32, channels: 3, background: '#102030' } });
  const manifest: Manifest = {
    format: 1,
    classes: ['cat', 'dog', 'owl'],
    input: INPUT,
    resize: { kernel: 'lanczos3', fit: 'cover', position: 'centre' },
    model: {
      bytes: file.byteLength,
      sha256: createHash('sha256').update(file).digest('hex'),
      precision: 'float32',
    },
    calibration: null,
    outOfDomain: { threshold: 0, share: 0.05, images: 100, of: 'training' },
    prototypes: {
      entries: [0, 1, 2].map((label) => ({ label, image: 10 + label, similarity: 0.9, thumbnail: label })),
      thumbnails: {
        columns: 2,
        height: 16,
        width: 12,
        webp: (await tiles.webp({ lossless: true }).toBuffer()).toString('base64'),
      },
    },
    provenance: {
      featmatch: '0',
      commit: null,
      run: 'toy',
      algorithm: 'featmatch',
      encoder: MODEL.name,
      data: 'toy',
      labels: 9,
      seed: 0,
      step: 1,
      exportedAt: '2026-01-01T00:00:00.000Z',
      testAccuracy: null,
      validationAccuracy: null,
      check: { images: 0, largestDifference: 0 },
    },
    ...changes,
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, FILES.graph), file);
  writeFileSync(join(folder, FILES.manifest), JSON.stringify(manifest));
  return manifest;
}
