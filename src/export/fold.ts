/**
 * Batch normalization in evaluation mode scales and shifts channels: γ(x − μ)/√(σ² + ε) + β. Where it alone reads what a
 * convolution computes, the weights of that can be scaled and its bias shifted instead, and the layer is gone.
 */
import type { Graph, Node, Value } from './graph.js';

/** ONNX's default. */
const EPSILON = 1e-5;

/** Folds batch normalization into the convolutions before it, in place. */
export function foldBatchNorm(graph: Graph): void {
  const readers = countReaders(graph);
  const convolutions = new Map<Value, number>(); // where in `kept` the convolution is that computes a value
  const kept: Node[] = [];
  for (const node of graph.nodes) {
    const position = convolutions.get(node.inputs[0]);
    if (
      node.operator === 'BatchNormalization' &&
      position !== undefined &&
      readers.get(node.inputs[0]) === 1
    ) {
      kept[position] = fold(graph, kept[position], node);
      continue;
    }
    if (node.operator === 'Conv') convolutions.set(node.output, kept.length);
    kept.push(node);
  }
  graph.nodes = kept;
  const read = new Set(kept.flatMap(({ inputs }) => inputs));
  for (const name of graph.constants.keys()) if (!read.has(name)) graph.constants.delete(name);
}

/** The convolution that computes what the two compute. */
function fold(graph: Graph, convolution: Node, { inputs: [, ...parameters], output }: Node): Node {
  const numbers = (value: Value) => graph.constants.get(value)?.data as Float32Array;
  const [gamma, beta, mean, variance] = parameters.map(numbers);
  const scale = gamma.map((value, channel) => value / Math.sqrt(variance[channel] + EPSILON));
  const [input, weightName, biasName] = convolution.inputs;
  const weight = numbers(weightName); // (out, …)
  const perOutput = weight.length / scale.length;
  const bias = biasName === undefined ? undefined : numbers(biasName);
  const { shape, role } = graph.constants.get(weightName) as { shape: readonly number[]; role: 'weight' };
  const scaledWeight = weight.map((value, i) => value * scale[Math.floor(i / perOutput)]);
  const shiftedBias = scale.map(
    (value, output) => beta[output] + ((bias?.[output] ?? 0) - mean[output]) * value,
  );
  return {
    ...convolution,
    inputs: [input, graph.constant(scaledWeight, shape, role), graph.constant(shiftedBias, [scale.length])],
    output,
  };
}

function countReaders({ nodes }: Graph): Map<Value, number> {
  const readers = new Map<Value, number>();
  for (const value of nodes.flatMap(({ inputs }) => inputs)) {
    readers.set(value, (readers.get(value) ?? 0) + 1);
  }
  return readers;
}
