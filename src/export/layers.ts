/** The layers of `src/nn` and the operators of `src/tensor` as nodes of a graph. Images are (N, C, H, W). */
import type { Graph, Value } from './graph.js';
import type { Weights } from './weights.js';

export function convolution(
  graph: Graph,
  input: Value,
  options: { weights: Weights; stride?: number; padding?: number },
): Value {
  const { weights, stride = 1, padding = 0 } = options;
  const weight = weights.get('weight'); // (out, in, kh, kw)
  const bias = weights.has('bias') ? [graph.weight(weights.get('bias'))] : [];
  return graph.apply('Conv', [input, graph.weight(weight, 'weight'), ...bias], {
    kernel_shape: weight.shape.slice(2),
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  });
}

/** By the running statistics, as in evaluation. ONNX's ε is by default that of BatchNorm2d, 10⁻⁵. */
export function batchNorm(graph: Graph, input: Value, weights: Weights): Value {
  const parameters = ['weight', 'bias', 'running_mean', 'running_var'].map((name) =>
    graph.weight(weights.get(name)),
  );
  return graph.apply('BatchNormalization', [input, ...parameters]);
}

export function relu(graph: Graph, input: Value): Value {
  return graph.apply('Relu', [input]);
}

export function batchNormRelu(graph: Graph, input: Value, weights: Weights): Value {
  return relu(graph, batchNorm(graph, input, weights));
}

/** x Wᵀ + b */
export function linear(graph: Graph, input: Value, weights: Weights): Value {
  const weight = graph.weight(weights.get('weight'), 'weight'); // (out, in)
  return graph.apply('Gemm', [input, weight, graph.weight(weights.get('bias'))], { transB: 1 });
}

export function maxPool(
  graph: Graph,
  input: Value,
  { size, stride = size, padding = 0 }: { size: number; stride?: number; padding?: number },
): Value {
  return graph.apply('MaxPool', [input], {
    kernel_shape: [size, size],
    strides: [stride, stride],
    pads: [padding, padding, padding, padding],
  });
}

/** The mean over height and width: (N, C, H, W) → (N, C). */
export function globalAveragePool(graph: Graph, input: Value): Value {
  return graph.apply('Flatten', [graph.apply('GlobalAveragePool', [input])]);
}
