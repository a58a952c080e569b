import { type PackedPixels, readPackedImage } from './packed-pixels.js';

/** Images of one size and kind. Says nothing about what they show. */
export interface ImageSet {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** 1 = greyscale, 3 = red, green, blue. */
  readonly channels: number;
  /**
   * count × height × width × channels, 0…255: in memory, on a SharedArrayBuffer so that worker threads see the same
   * bytes; or in files that hold some images each, one after the other. {@link pixelsOf} reads both.
   */
  readonly images: Uint8Array | readonly PackedPixels[];
}

/** Images and what is known of their classes. */
export interface ImageDataset extends ImageSet {
  readonly name: string;
  /** Class names; a label is an index into them. */
  readonly classes: readonly string[];
  /** One label per image; −1 = unknown. */
  readonly labels: Int32Array;
  /** Path of each image's file, relative to the data set's folder; undefined where images are not files. */
  readonly names?: readonly string[];
  /** Undefined where all images are of one domain. */
  readonly domains?: Domains;
}

/** Where images come from: photographed, drawn, painted, … */
export interface Domains {
  /** The target, then the sources. */
  readonly names: readonly string[];
  /** Index of each image's domain; 0 = the target. */
  readonly of: Uint8Array;
}

/** What training and its evaluation need: data sets with the same classes and image size. */
export interface DatasetParts {
  readonly train: ImageDataset;
  /** validation images of the data set's own; null where there are none (training images may be held out instead) */
  readonly validation: ImageDataset | null;
  /** null where there are none: then there is no accuracy on test images */
  readonly test: ImageDataset | null;
  /** files that could not be read as images, relative to the data set's folder, and why */
  readonly leftOut?: readonly { readonly path: string; readonly reason: string }[];
}

/** Zero bytes that all threads can share. */
export function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

/**
 * The pixels of one image (height × width × channel); not to be written to.
 * @throws InputError if they are in a file that cannot be read any more
 */
export function pixelsOf(set: ImageSet, index: number): Uint8Array {
  const size = imageSize(set);
  const { images } = set;
  if (images instanceof Uint8Array) return images.subarray(index * size, (index + 1) * size);
  return readPackedImage(images, index, size);
}

/** The pixels of several images, side by side: a copy. */
export function gatherPixels(set: ImageSet, indices: ArrayLike<number>): Uint8Array {
  const size = imageSize(set);
  const pixels = new Uint8Array(indices.length * size);
  for (let i = 0; i < indices.length; i++) pixels.set(pixelsOf(set, indices[i]), i * size);
  return pixels;
}

/** 0, 1, …, count − 1. */
export function allIndices({ count }: ImageSet): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => index);
}

/** All of them, or of more than `most` so many, evenly spread. */
export function spread(indices: Int32Array, most: number): Int32Array {
  if (indices.length <= most) return indices;
  return Int32Array.from({ length: most }, (_, i) => indices[Math.floor((i * indices.length) / most)]);
}

/** The size of images scaled down to `mostSide` pixels a side; smaller ones keep theirs. */
export function scaledSize(
  { height, width }: Pick<ImageSet, 'height' | 'width'>,
  mostSide: number,
): { height: number; width: number } {
  const factor = Math.min(1, mostSide / Math.max(height, width));
  const scaled = (side: number) => Math.max(1, Math.round(side * factor));
  return { height: scaled(height), width: scaled(width) };
}

/** Bytes of one image. */
export function imageSize({ height, width, channels }: Omit<ImageSet, 'images' | 'count'>): number {
  return height * width * channels;
}
