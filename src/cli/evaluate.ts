import type { Command } from 'commander';
import { InputError } from '../errors.js';

interface EvaluateOptions {
  run: string;
  json?: true;
}

export function define(command: Command): void {
  command.requiredOption('--run <folder>', 'run folder').option('--json', 'print JSON').action(evaluateRun);
}

async function evaluateRun({ run, json }: EvaluateOptions): Promise<void> {
  const [{ openTrainedModel }, { loadData }, { allIndices }, { evaluate }, { formatPercent }] =
    await Promise.all([
      import('./trained-model.js'),
      import('./data-loading.js'),
      import('../data/dataset.js'),
      import('../train/index.js'),
      import('./format.js'),
    ]);
  const { learning, description } = openTrainedModel(run);
  const { config, normalization, step } = description;
  const { test } = await loadData({ ...config.data, sourceRatio: 0 }); // source domains have no part in the test
  if (test === null)
    throw new InputError(`${config.data.folder} has no test images: put some into test/<class>/`);
  const evaluation = await evaluate(learning, test, { normalization, indices: allIndices(test) });
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ run, step, data: config.data.name, ...evaluation }, null, 2)}\n`,
    );
    return;
  }
  const { accuracy, crossEntropy, images } = evaluation;
  process.stdout.write(
    `test accuracy  ${formatPercent(accuracy)} of ${images} images of ${config.data.name} after ${step} steps ` +
      `(cross-entropy ${crossEntropy.toFixed(4)})\n`,
  );
}
