export { writeFileAtomically, writeJsonAtomically } from './atomic.js';
export { readCheckpointFile, writeCheckpointFile } from './checkpoint-file.js';
export type { EncodedImage, Histogram, Summary } from './events.js';
export { describeLabels } from './labels.js';
export { METRICS } from './metric-names.js';
export { type MetricsLine, withoutTimes } from './metrics.js';
export { packageVersion } from './package.js';
export { writePredictions } from './predictions.js';
export {
  contentHash,
  type InitialWeightsRecord,
  type RunRecord,
  type RunResults,
  type RunStatus,
  type SplitRecord,
} from './record.js';
export { type Report, type RunGroup, reportRuns, type Statistics, statistics } from './report.js';
export { createRun, type Run, readUnfinishedRun, resumeRun } from './run.js';
export { checkpointPath, keepCheckpoints, listCheckpoints, runPaths } from './run-folder.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  readBytes,
  type SafetensorsData,
  type SafetensorsDtype,
  type SafetensorsTensor,
} from './safetensors.js';
export {
  listRuns,
  type RunList,
  readRun,
  readRunMetrics,
  readSplit,
  type StoredRun,
} from './stored-run.js';
