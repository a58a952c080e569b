/**
 * Decodes the images of a list once and keeps their pixels in one file, so that the next start reads that alone. The
 * file's name is a hash of what it depends on: the images' paths, sizes and times of change, and the side. Labels are
 * not part of it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import sharp from 'sharp';
import { InputError } from '../../errors.js';
import { isGrayscale, toGrayscale } from '../../image/luma.js';
import type { Pixels } from '../../image/pixels.js';
import { resizeAndCrop } from '../../image/resize.js';
import { sharedBytes } from '../dataset.js';
import { decodePixels } from '../decode.js';

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
  /** their pixels, side by side, in shared memory */
  readonly images: Uint8Array;
  readonly broken: readonly BrokenImage[];
}

export interface PackOptions {
  /** null: chosen from the images, see {@link chooseSide} */
  readonly side: number | null;
  /** where packed files are kept */
  readonly cache: string;
  /** images decoded so far; not called where they were packed before */
  onProgress?(done: number, total: number): void;
}

const FORMAT = 1;
/** Share of the machine's memory that the pixels may take. */
const MEMORY_SHARE = 0.5;
const SAMPLE = 200;

/**
 * The pixels of the images at `paths` (relative to `folder`), resized to side × side.
 * @throws InputError where none can be read, or they do not fit into memory
 */
export async function packImages(
  folder: string,
  paths: readonly string[],
  options: PackOptions,
): Promise<PackedImages> {
  const side = options.side ?? (await chooseSide(paths.map((path) => join(folder, path))));
  const bytes = paths.length * side * side * 3;
  if (bytes > MEMORY_SHARE * totalmem()) {
    throw new InputError(
      `${paths.length} images of ${side}×${side} pixels take ${(bytes / 1e9).toFixed(1)} GB, more than half of this ` +
        "machine's memory: choose a smaller data.side or fewer images",
    );
  }
  const file = join(options.cache, `${keyOf(folder, paths, side)}.images`);
  const known = readPacked(file);
  if (known !== null) return known;
  const packed = await decodeAll(folder, paths, { ...options, side });
  writePacked(file, packed);
  return packed;
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

function keyOf(folder: string, paths: readonly string[], side: number): string {
  const hash = createHash('sha256').update(JSON.stringify([FORMAT, resolve(folder), side]));
  for (const path of paths) {
    const { size, mtimeMs } = statSync(join(folder, path), { throwIfNoEntry: false }) ?? {
      size: -1,
      mtimeMs: 0,
    };
    hash.update(JSON.stringify([path, size, mtimeMs]));
  }
  return hash.digest('hex').slice(0, 32);
}

async function decodeAll(
  folder: string,
  paths: readonly string[],
  { side, onProgress }: PackOptions & { side: number },
): Promise<PackedImages> {
  const size = side * side * 3;
  const images = sharedBytes(paths.length * size);
  const problems = new Map<number, string>();
  let allGray = true;
  let next = 0;
  let done = 0;
  const work = async () => {
    for (let position = next++; position < paths.length; position = next++) {
      const file = join(folder, paths[position]);
      try {
        const image = resizeAndCrop(await decodePixels(file), { height: side, width: side });
        images.set(image.data, position * size);
        allGray &&= isGrayscale(image);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        problems.set(position, error.message.replace(`${file}: `, ''));
      }
      onProgress?.(++done, paths.length);
    }
  };
  const threads = sharp.concurrency(1); // as many images at once as processors, each on one
  await Promise.all(Array.from({ length: availableParallelism() }, work)).finally(() =>
    sharp.concurrency(threads),
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
  const channels = allGray ? 1 : 3;
  const kept = sharedBytes(positions.length * side * side * channels);
  positions.forEach((position, index) => {
    const data = images.subarray(position * size, (position + 1) * size);
    const image: Pixels = { data, height: side, width: side, channels: 3 };
    kept.set(allGray ? toGrayscale(image).data : data, index * side * side * channels);
  });
  return { side, channels, positions, images: kept, broken };
}

/** A line of JSON, then the pixels. */
function writePacked(file: string, { images, ...header }: PackedImages): void {
  const partial = `${file}.${process.pid}.part`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(partial, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), images]), {
      flush: true,
    });
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw new InputError(
      `${file}: the decoded images cannot be kept (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}

/** Null where there is no such file, or it is not whole. */
function readPacked(file: string): PackedImages | null {
  if (!existsSync(file)) return null;
  const content = readFileSync(file);
  const end = content.indexOf('\n');
  const header = JSON.parse(content.toString('utf8', 0, end)) as Omit<PackedImages, 'images'>;
  const { side, channels, positions } = header;
  const images = sharedBytes(positions.length * side * side * channels);
  if (content.length - end - 1 !== images.length) return null;
  images.set(content.subarray(end + 1));
  return { ...header, images };
}
