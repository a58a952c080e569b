import type { Command } from 'commander';

interface EvaluateOptions {
  run: string;
  json?: true;
}

export function define(command: Command): void {
  command.requiredOption('--run <folder>', 'run folder').option('--json', 'print JSON').action(evaluateRun);
}

async function evaluateRun({ run, json }: EvaluateOptions): Promise<void> {
  const [{ openTrainedModel }, { loadDataset }, { evaluate }, { formatPercent }] = await Promise.all([
    import('./trained-model.js'),
    import('../data/load.js'),
    import('../train/index.js'),
    import('./format.js'),
  ]);
  const { learning, description } = openTrainedModel(run);
  const { config, normalization, step } = description;
  const { test } = await loadDataset(config.data.name, { folder: config.data.folder });
  const indices = Int32Array.from({ length: test.count }, (_, index) => index);
  const evaluation = evaluate(learning, test, { normalization, indices });
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
