/** What `featmatch/infer` and `featmatch/infer/browser` both give to their users, beside `loadModel`. */
export { InputError } from '../errors.js';
export type { Pixels } from '../image/pixels.js';
export type { Manifest } from './manifest.js';
export type {
  AttendedPrototype,
  Classification,
  ClassifyOptions,
  ClassProbability,
  ExplainOptions,
  Explanation,
  Model,
} from './model.js';
export type { ModelFiles } from './source.js';
