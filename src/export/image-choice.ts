/** Which images an export looks at, and for what. Test images are for its evaluation alone. */
import { allIndices, type DatasetParts, type ImageDataset } from '../data/dataset.js';
import { randomStream, shuffledRange } from '../image/random.js';
import type { SplitRecord } from '../runs/index.js';

/** Some images of a data set. */
export interface Images {
  readonly images: ImageDataset;
  readonly indices: Int32Array;
}

export interface ImageChoice {
  /** what prototypes are compared with: of what training saw the labeled images, and drawn ones of the others */
  readonly shown: Images;
  /** those of training whose features stand for the domain */
  readonly references: Images;
  /** those that tell how far from the references an image of the domain may be: validation images where there are some */
  readonly domain: Images;
  /** those that the graph and the engine are compared on */
  readonly check: Images;
  /** labeled images that training did not see: the data set's own, or held out of its training images */
  readonly validation: Images | null;
  /** labeled test images */
  readonly test: Images | null;
}

const SHOWN = 20_000;
const REFERENCES = 1000;
const DOMAIN = 2000;
const CHECK = 1000;
/** What distinguishes the stream of random numbers that draws here. */
const STREAM = 77;

/** The same choice for the same data, split and seed. */
export function chooseImages(data: DatasetParts, split: SplitRecord, seed: number): ImageChoice {
  const { train } = data;
  const heldOut = new Set(split.validation);
  const order = shuffledRange(train.count, randomStream(seed, STREAM));
  const drawn = order.filter((index) => !heldOut.has(index));
  const references = Math.min(REFERENCES, Math.ceil(drawn.length / 2));
  const labeled = new Set(split.labeled);
  const others = drawn.filter((index) => !labeled.has(index));
  const shown = Int32Array.from([...labeled, ...others].slice(0, SHOWN));
  const ofTraining = (indices: Int32Array): Images => ({ images: train, indices });
  const validation =
    heldOut.size > 0 ? ofTraining(Int32Array.from(split.validation)) : labeledOf(data.validation);
  return {
    shown: ofTraining(shown.toSorted()),
    references: ofTraining(drawn.subarray(0, references)),
    domain:
      validation === null
        ? ofTraining(drawn.subarray(references, references + DOMAIN))
        : { ...validation, indices: validation.indices.subarray(0, DOMAIN) },
    check: ofTraining(order.subarray(0, CHECK)),
    validation,
    test: labeledOf(data.test),
  };
}

function labeledOf(images: ImageDataset | null): Images | null {
  if (images === null) return null;
  return { images, indices: allIndices(images).filter((index) => images.labels[index] >= 0) };
}
