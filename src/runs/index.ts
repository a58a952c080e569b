export { writeFileAtomically, writeJsonAtomically } from './atomic.js';
export { readCheckpointFile, writeCheckpointFile } from './checkpoint-file.js';
export { describeLabels } from './labels.js';
export { type MetricsLine, type MetricsWriter, openMetrics, readMetrics } from './metrics.js';
export { packageVersion } from './package.js';
export { type Prediction, writePredictions } from './predictions.js';
export {
  contentHash,
  type RunRecord,
  type RunResults,
  type RunStatus,
  type SplitRecord,
} from './record.js';
export { type Report, type RunGroup, reportRuns, type Statistics } from './report.js';
export { type CreateRunOptions, checkpointPath, createRun, type Run, runPaths } from './run-folder.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  type SafetensorsData,
  type SafetensorsDtype,
  type SafetensorsFile,
  type SafetensorsTensor,
} from './safetensors.js';
export {
  type Checkpoint,
  listCheckpoints,
  listRuns,
  type RunList,
  readRun,
  readRunMetrics,
  readSplit,
  type StoredRun,
} from './stored-run.js';
