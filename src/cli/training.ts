/** Training with its progress shown, and ended by Ctrl-C without loss: shared by the commands that train. */
import type { Config } from '../config/index.js';
import type { DatasetParts } from '../data/dataset.js';
import { type TrainingResult, type TrainOptions, train } from '../train/index.js';
import { untilSignal } from './interruption.js';
import { createProgress, createRateMeter, formatTraining, type Progress } from './progress.js';

/**
 * Trains as {@link train} does, and shows on stderr where the run is, losses, images/s and the time left; of several
 * processes the first one does.
 * @throws {InterruptedError} where SIGINT or SIGTERM ended it; a second one ends the process at once
 */
export async function trainWithProgress(
  config: Config,
  data: DatasetParts,
  options: Pick<TrainOptions, 'folder' | 'name' | 'resume' | 'world' | 'profileSteps'> = {},
): Promise<TrainingResult> {
  const { steps, algorithm } = config;
  const { world } = options;
  const isFirst = world === undefined || world.rank === 0;
  let progress: Progress | undefined;
  let labeling: Progress | undefined; // not begun where it is over at once
  let imagesPerSecond = createRateMeter();
  const log = (line: string) => {
    if (!isFirst) return;
    if (progress === undefined) process.stderr.write(`${line}\n`);
    else progress.log(line);
  };
  const interruption = untilSignal((signal) => {
    log(`${signal}: the step is finished and saved; once more ends at once`);
  });
  try {
    if (!isFirst)
      return await train(config, data, { ...options, signal: interruption.signal, onWarning: log });
    return await train(config, data, {
      ...options,
      signal: interruption.signal,
      onStart({ folder, step, images }) {
        progress = createProgress({ label: algorithm.name, total: steps, start: step });
        imagesPerSecond = createRateMeter({ start: images });
        log(
          step === 0
            ? `${algorithm.name} trains in ${folder}`
            : `${algorithm.name} goes on in ${folder} after step ${step}`,
        );
      },
      onStep({ step, images, metrics }) {
        progress?.update(step, formatTraining(imagesPerSecond(images), losses(metrics)));
        if (step === steps) progress?.stop(); // evaluation follows, which is not counted
      },
      onLabel(done, total) {
        if (done < total) labeling ??= createProgress({ label: 'labels of unlabeled images', total });
        labeling?.update(done);
        if (done === total) labeling?.stop();
      },
      onWarning: (sentence) => log(`warning: ${sentence}`),
    });
  } finally {
    interruption.end();
    progress?.stop();
    labeling?.stop();
  }
}

/** By the algorithms' convention the parts of a loss are named `loss…`; the other metrics go to the file alone. */
function losses(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => name.startsWith('loss')));
}
