/** Images of one size and kind, side by side in shared memory. Says nothing about what they show. */
export interface ImageSet {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  /** 1 = greyscale, 3 = red, green, blue. */
  readonly channels: number;
  /** count × height × width × channels, 0…255, on a SharedArrayBuffer so that worker threads see the same bytes. */
  readonly images: Uint8Array;
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
}

/** What training and its evaluation need: data sets with the same classes and image size. */
export interface DatasetPair {
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

/** The pixels of one image (height × width × channel): a view, not a copy. */
export function pixelsOf(set: ImageSet, index: number): Uint8Array {
  const size = imageSize(set);
  return set.images.subarray(index * size, (index + 1) * size);
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

/** Bytes of one image. */
export function imageSize({ height, width, channels }: Omit<ImageSet, 'images' | 'count'>): number {
  return height * width * channels;
}
