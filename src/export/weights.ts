import type { Weight } from './graph.js';

/** The tensors of a module by name, as in its checkpoint, and those of its parts: `within('conv1').get('weight')`. */
export class Weights {
  constructor(
    private readonly tensors: ReadonlyMap<string, Weight>,
    private readonly prefix = '',
  ) {}

  within(...names: (string | number)[]): Weights {
    return new Weights(this.tensors, `${this.prefix}${names.join('.')}.`);
  }

  has(name: string): boolean {
    return this.tensors.has(this.prefix + name);
  }

  /** @throws Error where the module has no such tensor */
  get(name: string): Weight {
    const weight = this.tensors.get(this.prefix + name);
    if (weight === undefined) throw new Error(`the network has no tensor ${this.prefix}${name}`);
    return weight;
  }
}
