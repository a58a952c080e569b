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
}

/** What training and its evaluation need: two data sets with the same classes and image size. */
export interface DatasetPair {
  readonly train: ImageDataset;
  readonly test: ImageDataset;
}

/** Zero bytes that all threads can share. */
export function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

/** Bytes of one image. */
export function imageSize({ height, width, channels }: Omit<ImageSet, 'images' | 'count'>): number {
  return height * width * channels;
}
