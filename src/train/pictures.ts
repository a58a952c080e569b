/** Pictures for TensorBoard: sheets of images, and confusion matrices. */
import sharp from 'sharp';
import type { ImageSet } from '../data/dataset.js';
import type { EncodedImage } from '../runs/index.js';

type Size = Pick<ImageSet, 'height' | 'width' | 'channels'>;

/** Pixels (count, height, width, channels) as a PNG sheet of so many columns, from left to right and from top to bottom. */
export function sheetOf(
  pixels: Uint8Array,
  { height, width, channels }: Size,
  columns: number,
): Promise<EncodedImage> {
  const size = height * width * channels;
  const count = pixels.length / size;
  const rows = Math.ceil(count / columns);
  const line = width * channels;
  const sheet = new Uint8Array(rows * columns * size);
  for (let image = 0; image < count; image++) {
    const [row, column] = [Math.floor(image / columns), image % columns];
    for (let y = 0; y < height; y++) {
      const from = image * size + y * line;
      sheet.set(pixels.subarray(from, from + line), ((row * height + y) * columns + column) * line);
    }
  }
  return encode(sheet, { height: rows * height, width: columns * width, channels });
}

const CELL = 16; // pixels

/**
 * Classes of images from top to bottom, what they were taken for from left to right. The darker, the greater the share of
 * its row: blue is right, orange wrong.
 */
export function confusionPicture(confusion: readonly (readonly number[])[]): Promise<EncodedImage> {
  const side = confusion.length * CELL;
  const sheet = new Uint8Array(side * side * 3);
  const [right, wrong] = [
    [37, 99, 235],
    [234, 88, 12],
  ];
  const shares = confusion.map((row) => {
    const images = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => (images === 0 ? 0 : Math.sqrt(value / images)));
  });
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [label, predicted] = [y, x].map((place) => Math.floor(place / CELL));
      const color = label === predicted ? right : wrong;
      const share = shares[label][predicted];
      color.forEach((value, channel) => {
        sheet[(y * side + x) * 3 + channel] = Math.round(255 + share * (value - 255));
      });
    }
  }
  return encode(sheet, { height: side, width: side, channels: 3 });
}

async function encode(pixels: Uint8Array, { height, width, channels }: Size): Promise<EncodedImage> {
  const raw = { height, width, channels: channels as 1 | 3 };
  const image = sharp(pixels, { raw }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
  return { ...raw, png: await image.png().toBuffer() };
}
