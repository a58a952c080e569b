import type { Tensor } from '../../../src/tensor/index.js';

/** What one operator promises: a sentence that continues its name, and the check. */
export type Promises = Readonly<Record<string, () => void>>;

/** By the name of a method, getter or setter of Tensor. */
export type TensorPromises = { readonly [name in keyof Tensor]?: Promises };
