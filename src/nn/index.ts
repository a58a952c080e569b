/** Layers, losses and the optimizer. */
export * from './initialize.js';
export * from './layers.js';
export * from './losses.js';
export { Module } from './module.js';
export { Sgd } from './sgd.js';
export { updateWeightAverage } from './weight-average.js';
