/** Training with its progress shown, shared by the commands that train. */
import type { Config } from '../config/index.js';
import type { DatasetPair } from '../data/dataset.js';
import { type TrainingResult, type TrainOptions, train } from '../train/index.js';
import { createProgress, createRateMeter, formatTraining } from './progress.js';

/** Trains as {@link train} does, and shows on stderr where the run is, losses, images/s and the time left. */
export async function trainWithProgress(
  config: Config,
  data: DatasetPair,
  options: Pick<TrainOptions, 'folder' | 'name'> = {},
): Promise<TrainingResult> {
  const { steps, algorithm } = config;
  const progress = createProgress({ label: algorithm.name, total: steps });
  const imagesPerSecond = createRateMeter();
  try {
    return await train(config, data, {
      ...options,
      onStart: ({ folder }) => progress.log(`${algorithm.name} trains in ${folder}`),
      onStep: ({ step, images, metrics }) => {
        progress.update(step, formatTraining(imagesPerSecond(images), losses(metrics)));
        if (step === steps) progress.stop(); // evaluation follows, which is not counted
      },
    });
  } finally {
    progress.stop();
  }
}

/** By the algorithms' convention the parts of a loss are named `loss…`; the other metrics go to the file alone. */
function losses(metrics: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).filter(([name]) => name.startsWith('loss')));
}
