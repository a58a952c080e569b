/** `report.html` of a run: everything that one wants to see of it, in a file that needs nothing else. */
import { type DatasetParts, spread } from '../data/dataset.js';
import { readRun, readRunMetrics, runPaths, writeFileAtomically } from '../runs/index.js';
import {
  checkSameExperiment,
  type Model,
  predictImages,
  prepareExperiment,
  reportedImages,
} from '../train/index.js';
import { findingsOf } from './findings.js';
import { pictureOf } from './images.js';
import { type Page, writePage } from './page.js';
import { examinePrototypes } from './prototypes.js';

/** So many training images, evenly spread, are searched for those nearest to prototypes. */
const MOST_SEARCHED = 10_000;
const MOST_IN_MAP = 800;
const MOST_MISTAKES = 24;

/**
 * Writes `report.html` into the folder of a run. It is on the images that the run's accuracy is of: test images where the
 * run looked at them at its end, else validation images.
 * @param model the one that the run's accuracy is of @param data the images that the run was made with
 * @returns the file's path
 * @throws InputError where the folder is no run, the images are others, or the file cannot be written
 */
export async function writeReport(folder: string, model: Model, data: DatasetParts): Promise<string> {
  const run = readRun(folder);
  const experiment = prepareExperiment(model.description.config, data);
  checkSameExperiment(folder, experiment);
  const { train } = data;
  const { learning, description } = model;
  const { normalization, classes } = description;
  const reported = reportedImages(experiment, run.record.results);
  let evaluation: Page['evaluation'] = null;
  if (reported !== null) {
    const { images, indices, of } = reported;
    const rows = await predictImages(learning, images, { normalization, indices });
    const findings = findingsOf(rows, { indices, labels: images.labels, classes: classes.length });
    const mistakes = findings.mistakes.slice(0, MOST_MISTAKES).map(async (mistake) => {
      const [label, predicted] = [mistake.label, mistake.predicted].map((number) => classes[number]);
      const confidence = `${(100 * mistake.confidence).toFixed(1)} %`;
      const name = images.names?.[mistake.image] ?? `${of} image ${mistake.image}`;
      return {
        picture: await pictureOf(images, mistake.image),
        lines: [`${label} → ${predicted}`, confidence],
        description: `${name}: ${label}, taken for ${predicted} with a confidence of ${confidence}`,
      };
    });
    evaluation = { of, findings, mistakes: await Promise.all(mistakes) };
  }
  const trained = Int32Array.from([...experiment.split.labeled, ...experiment.split.unlabeled]).sort();
  const found = await examinePrototypes(model, {
    training: { images: train, indices: spread(trained, MOST_SEARCHED) },
    drawn: reported && { ...reported, indices: spread(reported.indices, MOST_IN_MAP) },
  });
  const tiles = (found?.prototypes ?? []).map(async ({ image, similarity }, number) => ({
    picture: await pictureOf(train, image),
    lines: [],
    description: `prototype ${number}: nearest is ${train.names?.[image] ?? `training image ${image}`}, cosine ${similarity.toFixed(3)}`,
  }));
  const path = runPaths(folder).report;
  const page: Page = {
    run,
    metrics: readRunMetrics(folder),
    classes,
    evaluation,
    prototypes: found && { findings: found, tiles: await Promise.all(tiles) },
  };
  writeFileAtomically(path, writePage(page));
  return path;
}
