/** What a training ends with, for the commands that train one run. */
import type { DatasetParts } from '../data/dataset.js';
import type { TrainingResult } from '../train/index.js';
import { formatDuration, formatPercent } from './format.js';

export function printResult(result: TrainingResult, data: DatasetParts, { json }: { json?: true }): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const { testAccuracy, validationAccuracy, trainingSeconds, folder } = result;
  const lines = [
    testAccuracy === null
      ? `test accuracy        – (${data.test === null ? 'there are no test images' : 'the test images were not looked at; "featmatch evaluate" does'})`
      : `test accuracy        ${formatPercent(testAccuracy)} of ${data.test?.count} images`,
    ...(validationAccuracy === null ? [] : [`validation accuracy  ${formatPercent(validationAccuracy)}`]),
    `training time        ${formatDuration(trainingSeconds)}`,
    `run folder           ${folder}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
