import { addEachInPlace, mulEachInPlace, noGrad, type Tensor } from '../tensor/index.js';
import type { Module } from './module.js';

/**
 * Moves `average` toward `source`: θ' ← αθ' + (1 − α)θ for every parameter and running statistic, so that `average`
 * is an exponential moving average of the weights (Tarvainen and Valpola 2017).
 */
export function updateWeightAverage(average: Module, source: Module, decay: number): void {
  const own = average.namedTensors();
  const others = source.namedTensors();
  noGrad(() => {
    const averages = [...own.values()];
    mulEachInPlace(averages, decay);
    addEachInPlace(
      averages,
      [...own.keys()].map((name) => others.get(name) as Tensor),
      1 - decay,
    );
  });
}
