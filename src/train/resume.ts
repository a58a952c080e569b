/** Whether a run in a folder is that of an experiment. */
import { describeDifferences, resolveConfig } from '../config/index.js';
import { InputError } from '../errors.js';
import {
  type InitialWeightsRecord,
  type RunRecord,
  readRun,
  readSplit,
  runPaths,
  type SplitRecord,
} from '../runs/index.js';
import { type Experiment, recordSplit } from './prepare.js';
import type { Warn } from './run-checkpoints.js';

/** @throws InputError where the run in `folder` is of another configuration or other images; it names what differs */
export function checkSameExperiment(folder: string, experiment: Experiment): void {
  readRun(folder); // says so where it is none
  const there = resolveConfig({ file: runPaths(folder).config });
  const differences = describeDifferences(experiment.config, there);
  if (differences.length > 0) {
    throw new InputError(`the run ${folder} is of another configuration: ${differences.join('; ')}`);
  }
  const [ours, theirs] = [recordSplit(experiment), readSplit(folder)];
  const changed = (Object.keys(ours) as (keyof SplitRecord)[]).filter(
    (key) => JSON.stringify(ours[key]) !== JSON.stringify(theirs[key]),
  );
  if (changed.length > 0) {
    throw new InputError(
      `the run ${folder} was started on other images than those that ${experiment.data.train.name} has now: ` +
        `${changed.join(', ')} of split.json differ`,
    );
  }
}

/** @throws InputError where a run that has to begin with its first step began with another file of weights */
export function checkSameWeights(folder: string, weights: InitialWeightsRecord | undefined): void {
  const before = readRun(folder).record.initialWeights;
  if (weights === undefined || weights.sha256 === before?.sha256) return;
  throw new InputError(
    `the run ${folder} has no checkpoint yet and began with other weights than ${weights.file} has now (SHA-256 ` +
      `${before?.sha256} in run.json): put the same file there, or start a new run`,
  );
}

/** Tells where the run goes on in another environment, in which results may differ in their last bits. */
export function warnOfChanges(
  folder: string,
  engine: { version: string; threads: number; processes: number },
  warn: Warn,
): void {
  const before = lastSession(readRun(folder).record);
  const changes = [
    ['threads', before.machine.threads, engine.threads],
    ['processes', before.machine.processes, engine.processes],
    ['libtorch', before.versions.libtorch, engine.version],
  ].filter(([, there, here]) => there !== here);
  for (const [what, there, here] of changes) {
    warn(
      `${folder} goes on with ${what} ${here}, after ${what} ${there}: its numbers may differ in their last bits from those of a run without interruption`,
    );
  }
}

function lastSession(record: RunRecord): Pick<RunRecord, 'machine' | 'versions'> {
  return record.resumed.at(-1) ?? record;
}
