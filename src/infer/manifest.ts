/** `model.json`: what the numbers of the `model.onnx` beside it mean. */
import { InputError } from '../errors.js';
import { array, integer, nullable, number, object, oneOf, string, type ValueOf } from './shape.js';

/** The files of an exported model, in one folder. */
export const FILES = { manifest: 'model.json', graph: 'model.onnx' } as const;

/** Written by a later version in a way that this one would misread, a description has another number. */
export const MANIFEST_FORMAT = 1;

const count = integer();
const share = number([0, 1]);
const side = integer([1, 4096]);

const manifestShape = object({
  format: oneOf(MANIFEST_FORMAT),
  /** names, in the order of the probabilities */
  classes: array(string()),
  /** the images that the network takes; 1 channel is greyscale, 3 are red, green, blue */
  input: object({ height: side, width: side, channels: oneOf(1, 3) }),
  /** how any other image becomes one of them: scaled to cover the size, and the rest cut off evenly */
  resize: object({
    kernel: oneOf('lanczos3'),
    fit: oneOf('cover'),
    position: oneOf('centre'),
  }),
  /** the file of the graph; `sha256` in hexadecimal */
  model: object({
    bytes: count,
    sha256: string(/^[0-9a-f]{64}$/, '64 hexadecimal digits'),
    precision: oneOf('float32', 'half', 'int8'),
  }),
  /** Probabilities p become p^(1/T), normalized, fitted on validation images; null where there were none. */
  calibration: nullable(object({ temperature: number([1e-3, 1e3]), images: count })),
  /** An image is out of domain where its similarity is below; `share` of the images it is fitted on are. */
  outOfDomain: object({
    threshold: number([-1, 1]),
    share,
    images: count,
    of: oneOf('validation', 'training'),
  }),
  /** what AugF attends to, in the order of the attention; null without AugF */
  prototypes: nullable(
    object({
      /** for each prototype its class, the training image nearest to it, their cosine, and its thumbnail's number */
      entries: array(
        object({
          label: count,
          image: count,
          similarity: number(),
          thumbnail: nullable(count),
        }),
      ),
      /** thumbnails in rows in one WebP image, base64; null where it was asked for none */
      thumbnails: nullable(
        object({ columns: integer([1, 2 ** 16]), height: side, width: side, webp: string() }),
      ),
    }),
  ),
  /** where it is from */
  provenance: object({
    featmatch: string(),
    commit: nullable(string()),
    run: string(),
    algorithm: string(),
    encoder: string(),
    data: string(),
    /** labeled images; null: all that the data have labels of */
    labels: nullable(count),
    seed: count,
    /** training steps */
    step: count,
    exportedAt: string(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'a time in ISO 8601'),
    testAccuracy: nullable(share),
    validationAccuracy: nullable(share),
    /** the engine and ONNX Runtime side by side, before weights were rounded to `precision` */
    check: object({ images: count, largestDifference: number() }),
  }),
});

export type Manifest = ValueOf<typeof manifestShape>;

/**
 * Reads a description.
 * @param source what to call it in errors
 * @throws {InputError} where it is not one
 */
export function parseManifest(text: string, source: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${source} is not JSON (${error instanceof Error ? error.message : error})`);
  }
  const problem = manifestShape(json, []) ?? problemOfWhole(json as Manifest);
  if (problem !== undefined) {
    throw new InputError(`${source} does not describe a model of featmatch: ${problem}`);
  }
  return json as Manifest;
}

/** What its parts do not show. */
function problemOfWhole({ classes, prototypes }: Manifest): string | undefined {
  if (classes.length === 0) return 'classes: there are none';
  const stray = prototypes?.entries.findIndex(({ label }) => label >= classes.length) ?? -1;
  return stray < 0 ? undefined : `prototypes.entries.${stray}.label: there is no such class`;
}
