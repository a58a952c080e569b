export {
  type Comparison,
  type ComparisonRow,
  passesOfStep,
  readComparison,
} from './comparison.js';
export { describeDifferences } from './differences.js';
export type { ConfigLayer } from './layers.js';
export { settingLayer } from './layers.js';
export { type PresetName, presets } from './presets.js';
export { type ConfigSources, resolveConfig } from './resolve.js';
export {
  type AlgorithmConfig,
  type AlgorithmName,
  type Config,
  configSchema,
  type PartialConfig,
} from './schema.js';
export { listSettings, type Setting, type SettingKey } from './settings.js';
export { readSweep, type SweepRun } from './sweep.js';
