import { readdirSync, readFileSync } from 'node:fs';
import {
  listCheckpoints,
  readCheckpointFile,
  readRunMetrics,
  runPaths,
  withoutTimes,
} from '../../src/runs/index.js';

/** All that a run leaves, apart from times. */
export function remainsOf(run: string) {
  const { path, step } = listCheckpoints(run).at(-1) ?? { path: '', step: 0 };
  const tensors = [...readCheckpointFile(path).tensors].map(
    ([name, { dtype, shape, data }]) =>
      [name, { dtype, shape, bytes: Buffer.from(data.buffer).toString('base64') }] as const,
  );
  return {
    step,
    tensors: Object.fromEntries(tensors),
    metrics: withoutTimes(readRunMetrics(run)),
    predictions: readFileSync(runPaths(run).predictions, 'utf8'),
    checkpoints: readdirSync(runPaths(run).checkpoints),
  };
}
