/**
 * Decodes the images of a list once and keeps their pixels in one file, from which they are read when they are needed.
 * The file's name is a hash of what it depends on: the images' paths, sizes and times of change, and the side. Labels
 * are not part of it. A second file, written when the first is complete, says what is in it.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import sharp from 'sharp';
import { InputError } from '../../errors.js';
import { isGrayscale, toGrayscale } from '../../image/luma.js';
import type { Pixels } from '../../image/pixels.js';
import { resizeAndCrop } from '../../image/resize.js';
import { decodePixels } from '../../infer/node/decode.js';
import type { PackedPixels } from '../packed-pixels.js';

/** An image that could not be read. */
export interface BrokenImage {
  readonly path: string;
  readonly reason: string;
}

export interface PackedImages {
  readonly side: number;
  /** 1 where all images are gray, else 3 */
  readonly channels: number;
  /** position in the list of each image that could be read, ascending */
  readonly positions: readonly number[];
  /** their pixels */
  readonly images: PackedPixels;
  readonly broken: readonly BrokenImage[];
}

export interface PackOptions {
  /** null: chosen from the images, see {@link chooseSide} */
  readonly side: number | null;
  /** null: 1 where all images are gray, else 3 */
  readonly channels?: 3 | null;
  /** where packed files are kept */
  readonly cache: string;
  /** images decoded so far; not called where they were packed before */
  onProgress?(done: number, total: number): void;
}

const FORMAT = 2;
const SAMPLE = 200;

/**
 * The pixels of the images at `paths` (relative to `folder`), resized to side × side.
 * @throws InputError where none can be read, or the pixels cannot be kept
 */
export async function packImages(
  folder: string,
  paths: readonly string[],
  options: PackOptions,
): Promise<PackedImages> {
  const { channels = null } = options;
  const side = options.side ?? (await chooseSide(paths.map((path) => join(folder, path))));
  const file = join(options.cache, `${keyOf(folder, paths, { side, channels })}.images`);
  return readPacked(file) ?? (await decodeAll(folder, paths, { ...options, side, file }));
}

/** 32 where the median image is hardly larger (its shorter side below 48), else 64: what a laptop trains on in minutes. */
export async function chooseSide(files: readonly string[]): Promise<number> {
  const every = Math.max(1, Math.floor(files.length / SAMPLE));
  const sample = files.filter((_, index) => index % every === 0);
  const sides: number[] = [];
  for (const file of sample) {
    const { width, height } = await sharp(file)
      .metadata()
      .catch(() => ({ width: 0, height: 0 })); // told when it is decoded
    if (width > 0 && height > 0) sides.push(Math.min(width, height));
  }
  sides.sort((a, b) => a - b);
  return (sides[sides.length >> 1] ?? 64) < 48 ? 32 : 64;
}

function keyOf(
  folder: string,
  paths: readonly string[],
  { side, channels }: Pick<PackOptions, 'channels'> & { side: number },
): string {
  const hash = createHash('sha256').update(JSON.stringify([FORMAT, resolve(folder), side, channels]));
  for (const path of paths) {
    const { size, mtimeMs } = statSync(join(folder, path), { throwIfNoEntry: false }) ?? {
      size: -1,
      mtimeMs: 0,
    };
    hash.update(JSON.stringify([path, size, mtimeMs]));
  }
  return hash.digest('hex').slice(0, 32);
}

interface DecodeOptions extends PackOptions {
  readonly side: number;
  /** where the pixels go */
  readonly file: string;
}

async function decodeAll(
  folder: string,
  paths: readonly string[],
  { side, channels: wanted, file, onProgress }: DecodeOptions,
): Promise<PackedImages> {
  const size = side * side * 3;
  const problems = new Map<number, string>();
  let allGray = wanted !== 3;
  let next = 0;
  let done = 0;
  const decodeInto = async (output: FileHandle) => {
    for (let position = next++; position < paths.length; position = next++) {
      const path = join(folder, paths[position]);
      const image = await decodePixels(path).catch((error: unknown) => {
        if (!(error instanceof InputError)) throw error;
        problems.set(position, error.message.replace(`${path}: `, ''));
        return null;
      });
      if (image !== null) {
        const resized = resizeAndCrop(image, { height: side, width: side });
        allGray &&= isGrayscale(resized);
        await output.write(resized.data, 0, size, position * size);
      }
      onProgress?.(++done, paths.length);
    }
  };

  const partial = `${file}.${process.pid}.part`;
  const threads = sharp.concurrency(1); // as many images at once as processors, each on one
  try {
    mkdirSync(dirname(file), { recursive: true });
    const output = await open(partial, 'w');
    await Promise.all(Array.from({ length: availableParallelism() }, () => decodeInto(output))).finally(() =>
      output.close(),
    );
    const positions = paths.map((_, position) => position).filter((position) => !problems.has(position));
    const broken = [...problems]
      .sort(([a], [b]) => a - b)
      .map(([position, reason]) => ({ path: paths[position], reason }));
    if (positions.length === 0) {
      throw new InputError(
        `${folder}: none of ${paths.length} images can be read; the first: ${broken[0]?.path} ${broken[0]?.reason}`,
      );
    }
    const header = { side, channels: allGray ? 1 : 3, positions, broken };
    finish(partial, file, header);
    return { ...header, images: { path: file, first: 0, count: positions.length } };
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new InputError(`${file}: the decoded images cannot be kept (${code ?? message})`);
  } finally {
    sharp.concurrency(threads);
    rmSync(partial, { force: true });
  }
}

/** Brings the images that could be read together, as they are or in gray, and says what they are. */
function finish(partial: string, file: string, header: Omit<PackedImages, 'images'>): void {
  const { side, channels, positions } = header;
  const compact = `${file}.${process.pid}.compact`;
  const input = openSync(partial, 'r');
  const output = openSync(compact, 'w');
  try {
    const image: Pixels = { data: new Uint8Array(side * side * 3), height: side, width: side, channels: 3 };
    for (const position of positions) {
      readSync(input, image.data, 0, image.data.length, position * image.data.length);
      writeSync(output, channels === 1 ? toGrayscale(image).data : image.data);
    }
    fsyncSync(output);
  } finally {
    closeSync(input);
    closeSync(output);
  }
  renameSync(compact, file);
  const description = descriptionOf(file);
  writeFileSync(`${description}.${process.pid}`, JSON.stringify(header), { flush: true });
  renameSync(`${description}.${process.pid}`, description);
}

const descriptionOf = (file: string) => `${file}.json`;

/** Null where there is no such file, or it is not whole. */
function readPacked(file: string): PackedImages | null {
  if (!existsSync(file) || !existsSync(descriptionOf(file))) return null;
  const header = JSON.parse(readFileSync(descriptionOf(file), 'utf8')) as Omit<PackedImages, 'images'>;
  const { side, channels, positions } = header;
  if (statSync(file).size !== positions.length * side * side * channels) return null;
  return { ...header, images: { path: file, first: 0, count: positions.length } };
}
