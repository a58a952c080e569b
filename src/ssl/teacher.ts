import { type Module, updateWeightAverage } from '../nn/index.js';
import type { Tensor } from '../tensor/index.js';
import type { LearnerContext } from './algorithm.js';

/**
 * The teacher of Mean Teacher: a network whose weights are the moving average of the student's (Tarvainen and Valpola
 * 2017, section 2). It normalizes by its averaged statistics instead of the batch's.
 */
export class Teacher<Network extends Module> {
  /** θ', in evaluation mode and without gradients */
  readonly network: Network;
  private readonly student: Network;

  /** @param decay α in the long run */
  constructor(
    { network, createTeacher }: LearnerContext<Network>,
    private readonly decay: number,
  ) {
    this.student = network;
    this.network = createTeacher();
  }

  /** θ' ← αθ' + (1 − α)θ, α = min(1 − 1/(t + 1), decay): to be called as step t begins, after the update of step t − 1. */
  follow(step: number): void {
    if (step > 0) updateWeightAverage(this.network, this.student, Math.min(1 - 1 / (step + 1), this.decay));
  }

  state(): Map<string, Tensor> {
    return this.network.namedTensors();
  }

  load(state: ReadonlyMap<string, Tensor>): void {
    this.network.load(state);
  }
}
