import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { InputError } from '../../errors.js';
import { decodeImage } from './decode.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-decode-'));
afterAll(() => rmSync(folder, { recursive: true }));

const red = { r: 250, g: 20, b: 10 };
const blue = { r: 10, g: 20, b: 250 };
const size = { height: 8, width: 8, channels: 3 };

/** An image of one color with its left third in another. */
function twoColors(width: number, height: number): Sharp {
  const left = { create: { width: Math.floor(width / 3), height, channels: 3 as const, background: blue } };
  return sharp({ create: { width, height, channels: 3, background: red } }).composite([
    { input: left, left: 0, top: 0 },
  ]);
}

function pixelAt(
  { data, width, channels }: { data: Uint8Array; width: number; channels: number },
  row: number,
  column: number,
): number[] {
  const start = (row * width + column) * channels;
  return [...data.subarray(start, start + channels)];
}

function expectNear(actual: number[], expected: number[], tolerance = 6): void {
  actual.forEach((level, i) => {
    expect(Math.abs(level - expected[i])).toBeLessThanOrEqual(tolerance);
  });
}

describe('decodeImage', () => {
  test.each(['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)('reads %s', async (format) => {
    const file = await twoColors(48, 48).toFormat(format).toBuffer();
    const image = await decodeImage(file, size);
    expect(image).toMatchObject(size);
    expect(image.data.length).toBe(192);
    expectNear(pixelAt(image, 4, 6), [250, 20, 10], 14);
    expectNear(pixelAt(image, 4, 1), [10, 20, 250], 14);
  });

  test('reads a file by its path, whatever its name', async () => {
    const path = join(folder, 'photo.txt');
    writeFileSync(path, await twoColors(20, 20).png().toBuffer());
    expect((await decodeImage(path, size)).data.length).toBe(192);
  });

  test('keeps pixels of an image that has the size already', async () => {
    const levels = Uint8Array.from({ length: 64 }, (_, i) => i * 4);
    const file = await sharp(levels, { raw: { width: 8, height: 8, channels: 1 } })
      .png()
      .toBuffer();
    expect([...(await decodeImage(file, { ...size, channels: 1 })).data]).toEqual([...levels]);
  });

  test('turns the image upright by its EXIF orientation', async () => {
    const file = await twoColors(48, 48).jpeg().withMetadata({ orientation: 6 }).toBuffer(); // 90° clockwise
    const image = await decodeImage(file, size);
    expectNear(pixelAt(image, 1, 4), [10, 20, 250], 14);
    expectNear(pixelAt(image, 6, 4), [250, 20, 10], 14);
  });

  test('lays transparent images on white', async () => {
    const clear = { create: { width: 9, height: 9, channels: 4 as const, background: { ...red, alpha: 0 } } };
    const image = await decodeImage(await sharp(clear).png().toBuffer(), size);
    expect(new Set(image.data)).toEqual(new Set([255]));
  });

  test('makes greyscale of color, and three equal channels of greyscale', async () => {
    const grey = await decodeImage(await twoColors(30, 30).png().toBuffer(), { ...size, channels: 1 });
    expect(grey.data.length).toBe(64);
    const greyFile = await sharp(new Uint8Array(64).fill(90), { raw: { width: 8, height: 8, channels: 1 } })
      .png()
      .toBuffer();
    expect(new Set((await decodeImage(greyFile, size)).data)).toEqual(new Set([90]));
  });

  test('scales 16 bits to 8', async () => {
    const levels = Uint16Array.from({ length: 64 }, () => 0x8080);
    const file = await sharp(levels, { raw: { width: 8, height: 8, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect((await sharp(file).metadata()).depth).toBe('ushort');
    const image = await decodeImage(file, { ...size, channels: 1 });
    expectNear([...image.data], Array(64).fill(128), 1);
  });

  test('cuts out the middle of an image of another shape', async () => {
    const image = await decodeImage(await twoColors(240, 40).png().toBuffer(), size); // left 80 columns are blue
    for (let row = 0; row < 8; row++) expectNear(pixelAt(image, row, 0), [250, 20, 10]);
  });

  test('reads CMYK', async () => {
    const file = await twoColors(24, 24).toColourspace('cmyk').jpeg().toBuffer();
    expect((await decodeImage(file, size)).data.length).toBe(192);
  });
});

describe('decodeImage refuses, with the name of the file,', () => {
  const broken = async (name: string, content: Uint8Array | string): Promise<string> => {
    const path = join(folder, name);
    writeFileSync(path, content);
    const error = await decodeImage(path, size).then(
      () => new Error('it was decoded'),
      (reason: unknown) => reason as Error,
    );
    expect(error).toBeInstanceOf(InputError);
    expect(error.message).toContain(`${path}: cannot be read as an image`);
    expect(error.message).not.toContain('\n');
    return error.message;
  };

  test('a file that does not exist', async () => {
    await expect(decodeImage('/nowhere/cat.png', size)).rejects.toThrow(InputError);
    await expect(decodeImage('/nowhere/cat.png', size)).rejects.toThrow('/nowhere/cat.png');
  });

  test('an empty file', () => broken('empty.jpg', ''));

  test('a text', () => broken('notes.jpg', 'no image at all'));

  test.each(['png', 'jpeg', 'webp'] as const)('a truncated %s', async (format) => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251);
    const file = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .toFormat(format)
      .toBuffer();
    await broken(`cut.${format}`, file.subarray(0, file.length >> 1));
  });

  test('an image that is huge in its header', async () => {
    const file = Buffer.from(await twoColors(4, 4).png().toBuffer());
    file.writeUInt32BE(40_000, 16);
    file.writeUInt32BE(40_000, 20);
    await broken('huge.png', file);
  });

  test('bytes that are no image', async () => {
    await expect(decodeImage(new Uint8Array([1, 2, 3]), size)).rejects.toThrow(/^the image: cannot be read/);
  });
});
