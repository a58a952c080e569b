export {
  type Comparison,
  type ComparisonRow,
  passesOfStep,
  readComparison,
} from './comparison.js';
export { describeDifferences } from './differences.js';
export { settingLayer } from './layers.js';
export { presets } from './presets.js';
export { resolveConfig } from './resolve.js';
export type {
  AlgorithmName,
  Config,
  PartialConfig,
} from './schema.js';
export { listSettings, type SettingKey } from './settings.js';
export { readSweep, type SweepRun } from './sweep.js';
