/**
 * One image: height × width × channel, row-major, 0…255. One channel is greyscale, three are red, green, blue.
 * `data` holds exactly height · width · channels bytes.
 */
export interface Pixels {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/**
 * Bytes of an image. As a loop bound better than `data.length`, whose type lets the compiler only say that it is some
 * number, and count in floating point.
 */
export function byteSize({ height, width, channels }: Omit<Pixels, 'data'>): number {
  return height * width * channels;
}

/** A black image of the given size. */
export function createPixels(height: number, width: number, channels: number): Pixels {
  return { data: new Uint8Array(height * width * channels), height, width, channels };
}

/**
 * One step of an image pipeline: reads `source`, writes an image of the same size to the start of `target`. `value` is
 * the operation's parameter; operations without one ignore it. Images have at most
 * `MAX_IMAGE_BYTES`.
 */
export type PixelOperation = (source: Pixels, target: Uint8Array, value: number) => void;
