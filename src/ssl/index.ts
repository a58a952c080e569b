/** The algorithms by name. */
import type { Algorithm, EncoderNetwork } from './algorithm.js';
import { featmatch } from './featmatch/featmatch.js';
import { featmatchReference } from './featmatch/reference.js';
import { fixmatch } from './fixmatch.js';
import { flexmatch } from './flexmatch.js';
import { freematch } from './freematch.js';
import { ict } from './ict.js';
import { manifoldMixup } from './manifold-mixup.js';
import { meanTeacher } from './mean-teacher.js';
import { mixmatch } from './mixmatch.js';
import { mixup } from './mixup.js';
import { piModel } from './pi-model.js';
import { pseudoLabel } from './pseudo-label.js';
import { remixmatch } from './remixmatch.js';
import { softmatch } from './softmatch.js';
import { supervised } from './supervised.js';
import { temporalEnsembling } from './temporal-ensembling.js';
import { uda } from './uda.js';
import { vat } from './vat.js';

export type { Algorithm, EncoderNetwork, Learner } from './algorithm.js';
export type { Batch, ViewCounts, Views } from './batch.js';

export const algorithms = {
  supervised,
  featmatch,
  'featmatch-reference': featmatchReference,
  mixup,
  'manifold-mixup': manifoldMixup,
  'pseudo-label': pseudoLabel,
  'pi-model': piModel,
  'temporal-ensembling': temporalEnsembling,
  'mean-teacher': meanTeacher,
  vat,
  ict,
  mixmatch,
  remixmatch,
  uda,
  fixmatch,
  flexmatch,
  freematch,
  softmatch,
};

/** The algorithm of a configuration, with its types forgotten: its options have passed its own schema. */
export function algorithmOf(options: { name: keyof typeof algorithms }): Algorithm<unknown, EncoderNetwork> {
  return algorithms[options.name] as unknown as Algorithm<unknown, EncoderNetwork>;
}
