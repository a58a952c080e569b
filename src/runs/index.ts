export { writeFileAtomically, writeJsonAtomically } from './atomic.js';
export { readCheckpointFile, writeCheckpointFile } from './checkpoint-file.js';
export type { EventWriter } from './event-files.js';
export type { EncodedImage, Histogram, Summary } from './events.js';
export { describeLabels } from './labels.js';
export { METRICS } from './metric-names.js';
export { type MetricsLine, type MetricsWriter, openMetrics, readMetrics, withoutTimes } from './metrics.js';
export { packageVersion } from './package.js';
export { type Prediction, writePredictions } from './predictions.js';
export {
  contentHash,
  type InitialWeightsRecord,
  type RunRecord,
  type RunResults,
  type RunStatus,
  type SplitRecord,
} from './record.js';
export { type Report, type RunGroup, reportRuns, type Statistics, statistics } from './report.js';
export { type CreateRunOptions, createRun, type Run, readUnfinishedRun, resumeRun } from './run.js';
export { type Checkpoint, checkpointPath, keepCheckpoints, listCheckpoints, runPaths } from './run-folder.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  readBytes,
  readSafetensors,
  type SafetensorsData,
  type SafetensorsDtype,
  type SafetensorsFile,
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
