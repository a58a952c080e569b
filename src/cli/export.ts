import { type Command, Option } from 'commander';
import type { ExportReport } from '../export/export-model.js';
import type { Precision } from '../export/onnx.js';
import type { Progress } from './progress.js';

interface ExportCommandOptions {
  output?: string;
  half?: true;
  int8?: true;
  thumbnails: boolean;
  overwrite?: true;
  json?: true;
}

export function define(command: Command): void {
  command
    .argument('<run>', 'run folder')
    .option('--output <folder>', 'folder for model.onnx and model.json (default: "export" in the run folder)')
    .addOption(new Option('--half', 'store weights in 16 bits: half the size').conflicts('int8'))
    .option('--int8', 'store weights in 8 bits: a quarter of the size')
    .option('--no-thumbnails', 'leave out the images of the training set that stand for prototypes')
    .option('--overwrite', 'replace a model that is there already')
    .option('--json', 'print JSON')
    .action(exportRun);
}

async function exportRun(
  run: string,
  { output = `${run}/export`, half, int8, thumbnails, overwrite, json }: ExportCommandOptions,
): Promise<void> {
  const [{ openTrainedModel }, { loadData }, { readRun, readSplit }, { exportModel }, { createProgress }] =
    await Promise.all([
      import('./trained-model.js'),
      import('./data-loading.js'),
      import('../runs/index.js'),
      import('../export/export-model.js'),
      import('./progress.js'),
    ]);
  const model = openTrainedModel(run);
  const source = {
    run: readRun(run),
    split: readSplit(run),
    model,
    data: await loadData(model.description.config.data),
  };
  const precision: Precision = half ? 'half' : int8 ? 'int8' : 'float32';
  let progress: Progress | undefined;
  let report: ExportReport;
  try {
    report = await exportModel(source, {
      output,
      precision,
      thumbnails,
      overwrite: overwrite ?? false,
      onProgress(done, total) {
        progress ??= createProgress({ label: 'nearest images', total });
        progress.update(done);
      },
    });
  } finally {
    progress?.stop();
  }
  process.stdout.write(
    json ? `${JSON.stringify({ output, ...report }, null, 2)}\n` : await format(output, report),
  );
}

async function format(output: string, { manifest, accuracy }: ExportReport): Promise<string> {
  const { formatBytes, formatPercent } = await import('./format.js');
  const { model, calibration, provenance } = manifest;
  const { check } = provenance;
  const lines = [
    `model            ${output}/model.onnx (${formatBytes(model.bytes)}, ${model.precision}) and model.json`,
    `engine and file  at most ${check.largestDifference.toExponential(1)} apart on ${check.images} images`,
    ...(accuracy === null
      ? []
      : [`accuracy         ${formatPercent(accuracy.exported)} of ${accuracy.images} ${accuracy.of} images`]),
    ...(accuracy === null || model.precision === 'float32'
      ? []
      : [`with float32     ${formatPercent(accuracy.float32)}`]),
    `calibration      ${calibration === null ? 'none: it takes validation images (data.validation)' : `temperature ${calibration.temperature.toFixed(2)}`}`,
  ];
  return `${lines.join('\n')}\n`;
}
