/** Training that went astray: weights, losses or probabilities that are no finite numbers any more. */
import type { Config } from '../config/index.js';
import { InputError } from '../errors.js';
import { learningRateAt } from './schedule.js';

/** Numbers that a model computes are not finite. */
export class NotFiniteError extends InputError {}

export interface Moment {
  /** training steps done */
  readonly done: number;
  /** the metrics of the last of them, and of the one before it */
  readonly metrics?: Readonly<Record<string, number>>;
  readonly metricsBefore?: Readonly<Record<string, number>>;
  /** training steps that the last checkpoint has; undefined where there is none */
  readonly saved: number | undefined;
}

/** What to say of it: what, when, and what to try. @param what such as `the loss is not a finite number` */
export function divergence(
  what: string,
  config: Config,
  { done, metrics, metricsBefore, saved }: Moment,
): InputError {
  const { optimizer } = config;
  const learningRate = learningRateAt(done - 1, config);
  const now = describe({ 'learning rate': learningRate, ...metrics });
  const before = metricsBefore === undefined ? '' : `; one step before: ${describe(metricsBefore)}`;
  const kept =
    saved === undefined ? 'no checkpoint was saved before' : `the checkpoint of step ${saved} is kept`;
  return new InputError(
    `training diverged at step ${done} (${now}${before}): ${what}; ${kept}; try a smaller ` +
      `optimizer.learningRate than ${optimizer.learningRate}, or more optimizer.warmupSteps`,
  );
}

function describe(numbers: Readonly<Record<string, number>>): string {
  return Object.entries(numbers)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
}
