/** `model.json`: what the numbers of the `model.onnx` beside it mean. */
import * as z from 'zod/mini';
import { InputError } from '../errors.js';

/** The files of an exported model, in one folder. */
export const FILES = { manifest: 'model.json', graph: 'model.onnx' } as const;

/** Written by a later version in a way that this one would misread, a description has another number. */
export const MANIFEST_FORMAT = 1;

const count = () => z.int().check(z.nonnegative());
const share = () => z.number().check(z.minimum(0), z.maximum(1));
const side = () => z.int().check(z.positive(), z.maximum(4096));

const manifestSchema = z.object({
  format: z.literal(MANIFEST_FORMAT),
  /** names, in the order of the probabilities */
  classes: z.array(z.string()).check(z.minLength(1)),
  /** the images that the network takes; 1 channel is greyscale, 3 are red, green, blue */
  input: z.object({ height: side(), width: side(), channels: z.union([z.literal(1), z.literal(3)]) }),
  /** how any other image becomes one of them: scaled to cover the size, and the rest cut off evenly */
  resize: z.object({
    kernel: z.literal('lanczos3'),
    fit: z.literal('cover'),
    position: z.literal('centre'),
  }),
  /** the file of the graph; `sha256` in hexadecimal */
  model: z.object({
    bytes: count(),
    sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
    precision: z.enum(['float32', 'half', 'int8']),
  }),
  /** Probabilities p become p^(1/T), normalized, fitted on validation images; null where there were none. */
  calibration: z.nullable(z.object({ temperature: z.number().check(z.positive()), images: count() })),
  /** An image is out of domain where its similarity is below; `share` of the images it is fitted on are. */
  outOfDomain: z.object({
    threshold: z.number().check(z.minimum(-1), z.maximum(1)),
    share: share(),
    images: count(),
    of: z.enum(['validation', 'training']),
  }),
  /** what AugF attends to, in the order of the attention; null without AugF */
  prototypes: z.nullable(
    z.object({
      /** for each prototype its class, the training image nearest to it, their cosine, and its thumbnail's number */
      entries: z.array(
        z.object({
          label: count(),
          image: count(),
          similarity: z.number(),
          thumbnail: z.nullable(count()),
        }),
      ),
      /** thumbnails in rows in one WebP image, base64; null where it was asked for none */
      thumbnails: z.nullable(
        z.object({ columns: z.int().check(z.positive()), height: side(), width: side(), webp: z.string() }),
      ),
    }),
  ),
  /** where it is from */
  provenance: z.object({
    featmatch: z.string(),
    commit: z.nullable(z.string()),
    run: z.string(),
    algorithm: z.string(),
    encoder: z.string(),
    data: z.string(),
    /** labeled images; null: all that the data have labels of */
    labels: z.nullable(count()),
    seed: count(),
    /** training steps */
    step: count(),
    exportedAt: z.iso.datetime(),
    testAccuracy: z.nullable(share()),
    validationAccuracy: z.nullable(share()),
    /** the engine and ONNX Runtime side by side, before weights were rounded to `precision` */
    check: z.object({ images: count(), largestDifference: z.number() }),
  }),
});

export type Manifest = z.output<typeof manifestSchema>;

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
  const result = manifestSchema.safeParse(json);
  const refuse = (path: readonly PropertyKey[], message: string) =>
    new InputError(
      `${source} does not describe a model of featmatch: ${path.map(String).join('.') || 'its content'}: ${message}`,
    );
  if (!result.success) {
    const [{ path, message }] = result.error.issues;
    throw refuse(path, message);
  }
  const { classes, prototypes } = result.data;
  const stray = prototypes?.entries.findIndex(({ label }) => label >= classes.length) ?? -1;
  if (stray >= 0) throw refuse(['prototypes', 'entries', stray, 'label'], 'there is no such class');
  return result.data;
}
