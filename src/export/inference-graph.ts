/**
 * What a trained model computes, from pixels to class probabilities, as a graph: normalization, encoder, and the
 * classifier on features that AugF augmented where the network has it (Kuo et al. 2020, equations 1–3).
 */
import { PORTS } from '../infer/ports.js';
import type { ModelOptions } from '../models/index.js';
import { encode } from './encoders.js';
import { foldBatchNorm } from './fold.js';
import { Graph, type Value, type Weight } from './graph.js';
import { linear, relu } from './layers.js';
import { Weights } from './weights.js';

/** Of each channel, in units of the pixels' bytes; or ZCA whitening of pixels 0…1 in the order C, H, W. */
export type PixelNormalization =
  | { readonly mean: readonly number[]; readonly standardDeviation: readonly number[] }
  | { readonly mean: Weight; readonly matrix: Weight };

export interface ModelSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A trained network, freed of the engine. */
export interface TrainedNetwork {
  readonly model: ModelOptions;
  /** all its tensors by name: `encoder.…`, `classifier.…`, and with AugF `augmentation.…` */
  readonly tensors: ReadonlyMap<string, Weight>;
  readonly normalization: PixelNormalization;
  readonly size: ModelSize;
  readonly augmentation: Augmentation | null;
}

export interface GraphOptions {
  /** features (f_dim) of images that an image's similarity is measured to; without them the graph has no such output */
  readonly references?: readonly Float32Array[];
}

export interface Augmentation {
  /** f_p (P, f_dim), one or more */
  readonly prototypes: Weight;
  /** factor of e_xᵀe_p before the softmax */
  readonly scale: number;
}

/** @throws Error where the network has not the tensors that its options tell of */
export function buildInferenceGraph(network: TrainedNetwork, { references }: GraphOptions = {}): Graph {
  const { size, augmentation } = network;
  const weights = new Weights(network.tensors);
  const graph = new Graph();
  const pixels = graph.input(PORTS.pixels, 'uint8', [size.height, size.width, size.channels]);
  const images = normalize(graph, pixels, network);
  const encoder = { options: network.model, weights: weights.within('encoder') };
  const features = encode(graph, images, encoder);

  const classifier = weights.within('classifier');
  const [classes, featureDimension] = classifier.get('weight').shape;
  const classify = (input: Value) => softmax(graph, linear(graph, input, classifier));
  if (augmentation === null) {
    graph.output(PORTS.probabilities, classify(features), [classes]);
  } else {
    const { augmented, attention, heads } = augment(graph, features, {
      ...augmentation,
      weights: weights.within('augmentation'),
    });
    graph.output(PORTS.probabilities, classify(augmented), [classes]);
    graph.output(PORTS.plainProbabilities, classify(features), [classes]);
    graph.output(PORTS.attention, attention, [heads, augmentation.prototypes.shape[0]]);
  }
  graph.output(PORTS.features, features, [featureDimension]);
  if (references !== undefined) {
    graph.output(PORTS.similarity, similarity(graph, features, references), []);
  }
  foldBatchNorm(graph);
  return graph;
}

/** Bytes (N, H, W, C) → normalized (N, C, H, W), as `toImages` in `src/train`. */
function normalize(graph: Graph, pixels: Value, { normalization, size }: TrainedNetwork): Value {
  const { height, width, channels } = size;
  const floats = graph.apply('Cast', [pixels], { to: FLOAT });
  const toChannelsFirst = (value: Value) => graph.apply('Transpose', [value], { perm: [0, 3, 1, 2] });
  if ('matrix' in normalization) {
    const scaled = graph.apply('Mul', [toChannelsFirst(floats), graph.constant([1 / 255], [1])]);
    const rows = graph.apply('Flatten', [scaled]); // (N, D)
    const centered = graph.apply('Sub', [rows, graph.weight(normalization.mean)]);
    const white = graph.apply('MatMul', [centered, graph.weight(normalization.matrix, 'table')]);
    return graph.apply('Reshape', [white, integers(graph, [-1, channels, height, width])]);
  }
  const { mean, standardDeviation } = normalization;
  const centered = graph.apply('Sub', [floats, graph.constant(mean, [channels])]);
  const factors = standardDeviation.map((deviation) => 1 / deviation);
  return toChannelsFirst(graph.apply('Mul', [centered, graph.constant(factors, [channels])]));
}

/** The number of float32 among the element types of ONNX. */
const FLOAT = 1;

function integers(graph: Graph, values: readonly number[]): Value {
  return graph.constant(BigInt64Array.from(values, BigInt), [values.length]);
}

/** AugF. */
function augment(
  graph: Graph,
  f_x: Value, // (N, f_dim)
  { prototypes, scale, weights }: Augmentation & { weights: Weights },
): { augmented: Value; attention: Value; heads: number } {
  const f_p = graph.weight(prototypes, 'table'); // (P, f_dim)
  const scaling = graph.constant([scale], [1]);
  const outputs: Value[] = [];
  const attention: Value[] = [];
  for (let head = 0; weights.has(`phi_e.${head}.weight`); head++) {
    const phi_e = weights.within('phi_e', head);
    const e_x = linear(graph, f_x, phi_e); // (N, d)
    const e_p = linear(graph, f_p, phi_e); // (P, d), constant: computed once as the file is loaded
    const scores = graph.apply('MatMul', [e_x, graph.apply('Transpose', [e_p], { perm: [1, 0] })]);
    const w = softmax(graph, graph.apply('Mul', [scores, scaling])); // (1): (N, P)
    const attended = graph.apply('MatMul', [w, e_p]); // Σ_i w_i e_p,i: (N, d)
    const both = graph.apply('Concat', [e_x, attended], { axis: 1 });
    outputs.push(relu(graph, linear(graph, both, weights.within('phi_a', head)))); // (2)
    attention.push(graph.apply('Unsqueeze', [w, integers(graph, [1])]));
  }
  const f_a = graph.apply('Concat', outputs, { axis: 1 });
  const refined = graph.apply('Add', [f_x, linear(graph, f_a, weights.within('phi_r'))]);
  return {
    augmented: relu(graph, refined), // (3)
    attention: graph.apply('Concat', attention, { axis: 1 }), // (N, heads, P)
    heads: attention.length,
  };
}

/** The greatest cosine of features (N, f_dim) and any of the references (f_dim): (N). */
function similarity(graph: Graph, features: Value, references: readonly Float32Array[]): Value {
  const unit = references.map((reference) => {
    const length = Math.hypot(...reference) || 1;
    return reference.map((value) => value / length);
  });
  const [dimension, count] = [references[0].length, references.length];
  const columns = Float32Array.from(
    { length: dimension * count },
    (_, i) => unit[i % count][Math.floor(i / count)],
  );
  const products = graph.apply('MatMul', [features, graph.constant(columns, [dimension, count], 'table')]);
  const greatest = graph.apply('ReduceMax', [products], { axes: [1], keepdims: 0 });
  const length = graph.apply('ReduceL2', [features], { axes: [1], keepdims: 0 });
  return graph.apply('Div', [greatest, graph.apply('Max', [length, graph.constant([1e-12], [1])])]);
}

function softmax(graph: Graph, input: Value): Value {
  return graph.apply('Softmax', [input], { axis: 1 });
}
