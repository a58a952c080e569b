/** What the JSON files of a run folder hold, beside the configuration. */
import { createHash } from 'node:crypto';
import { z } from 'zod';

/** Written by a later version in a way that this one would misread, a record has another number. */
export const RECORD_FORMAT = 1;

export const STATUSES = ['running', 'finished', 'failed', 'interrupted'] as const;
export type RunStatus = (typeof STATUSES)[number];

const versionsSchema = z.object({
  featmatch: z.string(),
  commit: z.string().nullable(),
  libtorch: z.string(),
  node: z.string(),
});

const machineSchema = z.object({
  host: z.string(),
  platform: z.string(),
  cpu: z.string(),
  processors: z.number(),
  threads: z.number(),
  /** that train together, each with so many threads */
  processes: z.number().default(1),
});

/** What a process that works on a run is: the first one, or one that resumed it. */
const sessionSchema = z.object({
  /** The command line, program first. */
  command: z.array(z.string()),
  versions: versionsSchema,
  machine: machineSchema,
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime(),
});

const initialWeightsSchema = z.object({
  file: z.string(),
  /** SHA-256 of the file */
  sha256: z.string(),
  /** names of its classifier's tensors, which are not used */
  leftOut: z.array(z.string()),
});
/** Where the weights of the encoder came from. */
export type InitialWeightsRecord = z.output<typeof initialWeightsSchema>;

/** `run.json`. Unknown keys are kept out of the way of older readers: they ignore them. */
export const runRecordSchema = sessionSchema.extend({
  format: z.literal(RECORD_FORMAT),
  name: z.string(),
  status: z.enum(STATUSES),
  seed: z.number(),
  /** Null where they were drawn at random. */
  initialWeights: initialWeightsSchema.nullable().default(null),
  /** Training steps that are saved. */
  step: z.int().nonnegative().default(0),
  /** Wall time and processor time (of all threads) of all processes up to the last save or the end. */
  seconds: z.number().nonnegative().default(0),
  cpuSeconds: z.number().nonnegative().default(0),
  /** The later processes, and the training steps that each found saved. */
  resumed: z.array(sessionSchema.extend({ step: z.int().nonnegative() })).default([]),
  endedAt: z.iso.datetime().nullable(),
  /** Why it failed. */
  error: z.string().nullable(),
  /** Final numbers by name, such as `testAccuracy` (0…1; null where test images were not looked at). */
  results: z.record(z.string(), z.number().nullable()).nullable(),
});
export type RunRecord = z.output<typeof runRecordSchema>;
export type RunResults = Readonly<Record<string, number | null>>;

/**
 * `split.json`: what training was told of which images. Indices are those of the training set; hashes are the SHA-256 of
 * the images' pixels, each followed by its label where the run may know it.
 */
export const splitRecordSchema = z.object({
  dataset: z.string(),
  labeled: z.array(z.int().nonnegative()),
  labeledHash: z.string(),
  validation: z.array(z.int().nonnegative()),
  validationHash: z.string(),
  /** Files that could not be read as images, and why. */
  leftOut: z.array(z.object({ path: z.string(), reason: z.string() })).default([]),
  /** All others of the training set, in their order; pixels alone, and of more than 20,000 images 20,000 of them. */
  unlabeledImages: z.int().nonnegative(),
  unlabeledHash: z.string(),
  /** All of the test set; hashed likewise, with labels. */
  testImages: z.int().nonnegative(),
  testHash: z.string(),
});
export type SplitRecord = z.output<typeof splitRecordSchema>;

/** SHA-256 (hexadecimal) of bytes that come in parts. */
export function contentHash(parts: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
