/** Tensors on libtorch. The only room that knows the native add-on. */
export { gradients, noGrad } from './autograd.js';
export * from './clustering.js';
export * from './create.js';
export * from './engine.js';
export * from './functional.js';
export { Generator } from './generator.js';
export type { TypedArray } from './native.js';
export * from './process-group.js';
export {
  monotonicTime,
  type Profile,
  profiled,
  recordSpan,
  startProfiling,
  stopProfiling,
} from './profiler.js';
export { keep, tidy } from './scope.js';
export { Tensor } from './tensor.js';
export type { DType, MemoryFormat } from './types.js';
