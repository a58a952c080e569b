/**
 * A run is a folder of plain files, described in docs/runs.md:
 *
 *     config.json           the resolved configuration; `--config <this file>` repeats the run
 *     run.json              status, seed, versions, machine, command line, times, final results
 *     split.json            which images were labeled, held out for validation or tested
 *     metrics.jsonl         one line per logged step
 *     checkpoints/          step-00001500.safetensors
 *     predictions.csv
 *     report.html
 *     profile.json          what some steps did when, where it was asked for
 *     tensorboard/          event files and the projector's, where they are wanted
 *     lock.json             which process is writing here, while one is
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The paths inside a run folder. */
export function runPaths(folder: string) {
  return {
    config: join(folder, 'config.json'),
    record: join(folder, 'run.json'),
    split: join(folder, 'split.json'),
    metrics: join(folder, 'metrics.jsonl'),
    checkpoints: join(folder, 'checkpoints'),
    predictions: join(folder, 'predictions.csv'),
    report: join(folder, 'report.html'),
    profile: join(folder, 'profile.json'),
    tensorboard: join(folder, 'tensorboard'),
  } as const;
}

/** Where the checkpoint after `step` training steps belongs. */
export function checkpointPath(folder: string, step: number): string {
  return join(runPaths(folder).checkpoints, `step-${String(step).padStart(8, '0')}.safetensors`);
}

export interface Checkpoint {
  readonly step: number;
  readonly path: string;
}

/** The checkpoints of a run, the earliest first; none where there is no such folder. */
export function listCheckpoints(folder: string): Checkpoint[] {
  const { checkpoints } = runPaths(folder);
  if (!existsSync(checkpoints)) return [];
  return readdirSync(checkpoints)
    .map((name) => ({ name, step: /^step-(\d+)\.safetensors$/.exec(name)?.[1] }))
    .filter((file): file is { name: string; step: string } => file.step !== undefined)
    .map(({ name, step }) => ({ step: Number(step), path: join(checkpoints, name) }))
    .sort((a, b) => a.step - b.step);
}

/** Removes the checkpoints of all other steps. */
export function keepCheckpoints(folder: string, steps: ReadonlySet<number>): void {
  for (const { step, path } of listCheckpoints(folder)) {
    if (!steps.has(step)) rmSync(path, { force: true });
  }
}
