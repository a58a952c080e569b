import { keep, type SgdStep, sgdInPlace, type Tensor, tidy, zeros } from '../tensor/index.js';

export type SgdOptions = Omit<SgdStep, 'learningRate'>;

/**
 * Stochastic gradient descent with momentum (Sutskever et al. 2013), in PyTorch's form:
 * d ← g + λθ; v ← μv + d (v = 0 at first); θ ← θ − η·(d + μv with Nesterov, else v).
 * Works on all parameters in one call. A parameter without a gradient is left alone.
 */
export class Sgd {
  /** η, set before each step */
  learningRate = 0;
  private readonly velocities: ReadonlyMap<string, Tensor>; // v by parameter name, from zero

  constructor(
    private readonly parameters: ReadonlyMap<string, Tensor>,
    private readonly options: SgdOptions,
  ) {
    this.velocities = new Map(
      options.momentum === 0
        ? []
        : [...parameters].map(([name, { shape, dtype }]) => [name, keep(zeros(shape, { dtype }))]),
    );
  }

  /** Updates the parameters and forgets their gradients. */
  step(): void {
    tidy(() => {
      const learning = [...this.parameters].flatMap(([name, parameter]) => {
        const gradient = parameter.grad;
        return gradient === null ? [] : [{ parameter, gradient, velocity: this.velocities.get(name) }];
      });
      sgdInPlace(
        learning.map(({ parameter }) => parameter),
        learning.map(({ gradient }) => gradient), // may be changed: nobody reads them afterwards
        learning.flatMap(({ velocity }) => velocity ?? []),
        { ...this.options, learningRate: this.learningRate },
      );
      for (const { parameter } of learning) parameter.clearGrad();
    });
  }

  /** The velocities by parameter name; with the parameters all there is to save. */
  state(): ReadonlyMap<string, Tensor> {
    return this.velocities;
  }

  /** Continues from saved velocities, which are copied. @throws Error where one is missing */
  load(state: ReadonlyMap<string, Tensor>): void {
    for (const [name, velocity] of this.velocities) {
      const saved = state.get(name);
      if (saved === undefined) throw new Error(`the saved optimizer state has no velocity of ${name}`);
      velocity.copyInPlace(saved);
    }
  }
}
