import { toGrayscale } from '../image/luma.js';
import type { Pixels } from '../image/pixels.js';
import { resizeAndCrop } from '../image/resize.js';

/**
 * A decoded image as a network takes it: the largest centred part of the right shape, resized, and greyscale or colour.
 * @param image 1 or 3 channels; one that fits already is given back
 */
export function fitPixels(image: Pixels, { height, width, channels }: Omit<Pixels, 'data'>): Pixels {
  const resized =
    image.height === height && image.width === width ? image : resizeAndCrop(image, { height, width });
  if (resized.channels === channels) return resized;
  return channels === 1 ? toGrayscale(resized) : toColor(resized);
}

function toColor({ data, height, width }: Pixels): Pixels {
  const color = new Uint8Array(3 * data.length);
  data.forEach((level, i) => {
    color.fill(level, 3 * i, 3 * i + 3);
  });
  return { data: color, height, width, channels: 3 };
}

/** The bytes of images, one after the other. */
export function joinPixels(images: readonly Pixels[]): Uint8Array {
  const bytes = new Uint8Array(images.reduce((sum, { data }) => sum + data.length, 0));
  let end = 0;
  for (const { data } of images) {
    bytes.set(data, end);
    end += data.length;
  }
  return bytes;
}

/** Whether what was given is a decoded image, and a whole one. */
export function isPixels(value: unknown): value is Pixels {
  const { data, height, width, channels } = Object(value) as Partial<Pixels>;
  return (
    data instanceof Uint8Array &&
    (channels === 1 || channels === 3) &&
    Number.isInteger(height) &&
    data.length > 0 &&
    data.length === (height as number) * (width as number) * channels
  );
}
