/** The algorithms by name. */
import type { Module } from '../nn/index.js';
import type { Algorithm } from './algorithm.js';
import { featmatch } from './featmatch/featmatch.js';
import { featmatchReference } from './featmatch/reference.js';
import { fixmatch } from './fixmatch.js';
import { meanTeacher } from './mean-teacher.js';
import { mixmatch } from './mixmatch.js';
import { supervised } from './supervised.js';

export type { Algorithm, Learner, StepResult } from './algorithm.js';
export type { Batch, ViewCounts, Views } from './batch.js';

export const algorithms = {
  featmatch,
  'featmatch-reference': featmatchReference,
  fixmatch,
  'mean-teacher': meanTeacher,
  mixmatch,
  supervised,
};

/** The algorithm of a configuration, with its types forgotten: its options have passed its own schema. */
export function algorithmOf(options: { name: keyof typeof algorithms }): Algorithm<unknown, Module> {
  return algorithms[options.name] as unknown as Algorithm<unknown, Module>;
}
