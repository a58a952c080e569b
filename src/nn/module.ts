import { noGrad, Tensor } from '../tensor/index.js';

/**
 * A part of a network. Its tensors and its parts are plain properties, found in the order in which the constructor
 * assigned them; their names are the property paths, as in PyTorch (`layer.0.conv1.weight`), so that weights
 * interchange. A tensor that requires a gradient is a parameter, any other a buffer. Both must be `keep`-ed.
 */
export abstract class Module {
  /** Whether batch statistics and dropout are in force. */
  training = true;

  /** Sets `training` here and in all parts. */
  train(training: boolean): this {
    this.training = training;
    for (const [, part] of this.parts()) part.train(training);
    return this;
  }

  /** This one and all parts. */
  *modules(): Iterable<Module> {
    yield this;
    for (const [, part] of this.parts()) yield* part.modules();
  }

  /** All tensors by name, parameters and buffers, in order. */
  namedTensors(): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Tensor) tensors.set(name, value);
    }
    for (const [path, part] of this.parts()) {
      for (const [name, tensor] of part.namedTensors()) tensors.set(`${path}.${name}`, tensor);
    }
    return tensors;
  }

  /** What training changes by gradients. */
  namedParameters(): Map<string, Tensor> {
    return new Map([...this.namedTensors()].filter(([, tensor]) => tensor.requiresGrad));
  }

  parameters(): Tensor[] {
    return [...this.namedParameters().values()];
  }

  /**
   * Copies the numbers of `source` into this module's tensors.
   * @throws Error naming every tensor that is missing, unexpected or of another shape; nothing is copied then
   */
  load(source: ReadonlyMap<string, Tensor>): void {
    const own = this.namedTensors();
    const problems = [
      ...[...own.keys()].filter((name) => !source.has(name)).map((name) => `${name} is missing`),
      ...[...source.keys()].filter((name) => !own.has(name)).map((name) => `${name} is unexpected`),
    ];
    for (const [name, tensor] of own) {
      const given = source.get(name);
      if (given !== undefined && String(given.shape) !== String(tensor.shape)) {
        problems.push(`${name} has shape [${given.shape}] instead of [${tensor.shape}]`);
      }
    }
    if (problems.length > 0) throw new Error(`these weights are not of this network: ${problems.join('; ')}`);
    noGrad(() => {
      for (const [name, tensor] of own) tensor.copyInPlace(source.get(name) as Tensor);
    });
  }

  /** Frees all tensors. */
  dispose(): void {
    for (const tensor of this.namedTensors().values()) tensor.dispose();
  }

  /** The parts with their names. */
  protected *parts(): Iterable<[string, Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) {
        yield [name, value];
      } else if (Array.isArray(value)) {
        for (const [index, item] of value.entries()) {
          if (item instanceof Module) yield [`${name}.${index}`, item];
        }
      }
    }
  }
}
