/** What TensorBoard is shown of a training, beside its metrics. Nothing that is computed depends on it. */
import type { BatchArrays } from '../data/batches.js';
import { imageSize } from '../data/dataset.js';
import { type Run, runPaths, type Summary } from '../runs/index.js';
import { algorithmOf } from '../ssl/index.js';
import type { Learning, StepNumbers } from './learning.js';
import { confusionPicture, sheetOf } from './pictures.js';
import type { Experiment } from './prepare.js';
import { writeProjection } from './projection.js';
import type { OnEvaluation } from './protocol.js';
import type { TrainingState } from './state.js';

export interface Show {
  /** Looks at the batch of a step, while its memory is there, and at what its unlabeled images were taken for. */
  step(batch: Arrays, pseudoLabels: StepNumbers['pseudoLabels']): void;
  /** Shows what goes with a line of metrics. */
  log(): void;
  readonly evaluation: OnEvaluation;
  /** Shows the pictures that came together; between steps, as it takes a moment. */
  pictures(): Promise<void>;
  /** Shows the features of a trained model, and what is left. */
  end(learning: Learning): Promise<void>;
}

type Arrays = Pick<BatchArrays, 'pixels' | 'labels' | 'unlabeledIndices'>;

/** Nothing is shown where the run has no event files. */
const NO_SHOW: Show = { step() {}, log() {}, evaluation() {}, async pictures() {}, async end() {} };

/** @param state changed in place as training goes on */
export function createShow({ folder, events }: Run, experiment: Experiment, state: TrainingState): Show {
  if (events === null) return NO_SHOW;
  const { config, data } = experiment;
  const views = viewsInBatch(experiment);
  const pending: Promise<Summary>[] = [];

  async function pictures(): Promise<void> {
    if (pending.length > 0) events?.append(state.step, await Promise.all(pending.splice(0)));
  }
  return {
    step(batch, pseudoLabels) {
      if (pseudoLabels !== undefined) state.confidences.add(pseudoLabels.confidence);
      const done = state.step + 1;
      const isDue =
        done === 1 || done === config.steps || (config.saveEvery > 0 && done % config.saveEvery === 0);
      if (isDue) pending.push(...views(batch).map(summarizeViews));
    },
    log() {
      const histogram = state.confidences.take();
      if (histogram !== null) events.append(state.step, [{ tag: 'pseudo-labels/confidences', histogram }]);
    },
    evaluation({ confusion }, of) {
      const { classes } = data.train;
      const description = `Rows: classes of the images. Columns: what they were taken for. In order: ${classes.join(', ')}.`;
      pending.push(
        confusionPicture(confusion).then((image) => ({ tag: `confusion/${of}`, image, description })),
      );
    },
    pictures,
    async end(learning) {
      await pictures();
      await writeProjection(runPaths(folder).tensorboard, learning, experiment);
    },
  };

  async function summarizeViews({ tag, pixels, columns }: ViewPixels): Promise<Summary> {
    const image = await sheetOf(pixels, data.train, columns);
    return { tag, image, description: 'An image a row: its weak views, then its strong ones.' };
  }
}

/** Views of some images. */
interface ViewPixels {
  readonly tag: string;
  /** (images, views, height, width, channels) */
  readonly pixels: Uint8Array;
  /** views of an image */
  readonly columns: number;
}

/** Images of each kind whose views are shown. */
const MOST_IMAGES = 8;

/** Copies the views of the first labeled and the first unlabeled images out of a batch. */
function viewsInBatch({ config, data }: Experiment): (batch: Arrays) => ViewPixels[] {
  const size = imageSize(data.train);
  const { labeled, unlabeled } = algorithmOf(config.algorithm).views(config.algorithm);
  return (batch) => {
    const kinds = [
      { tag: 'views/labeled', count: batch.labels.length, columns: labeled.weak + labeled.strong },
      {
        tag: 'views/unlabeled',
        count: batch.unlabeledIndices.length,
        columns: unlabeled.weak + unlabeled.strong,
      },
    ];
    let start = 0;
    return kinds.flatMap(({ tag, count, columns }) => {
      const rows = Math.min(count, MOST_IMAGES);
      const pixels = new Uint8Array(rows * columns * size);
      for (let row = 0; row < rows; row++) {
        for (let view = 0; view < columns; view++) {
          const from = (start + view * count + row) * size; // one view of all images after another
          pixels.set(batch.pixels.subarray(from, from + size), (row * columns + view) * size);
        }
      }
      start += count * columns;
      return rows * columns === 0 ? [] : [{ tag, pixels, columns }];
    });
  };
}
