import { describe, expect, test } from 'vitest';
import { InputError } from '../errors.js';
import { createPixels, type Pixels } from './pixels.js';
import {
  checkRandAugmentOptions,
  type OperationName,
  operationNames,
  operations,
  type RandAugmentOptions,
  randAugment,
} from './rand-augment.js';
import { randomStream } from './random.js';

function apply(name: string, source: Pixels, value: number): Pixels {
  const { apply: operation } = operations[name as OperationName];
  const result = createPixels(source.height, source.width, source.channels);
  if (operation === null) result.data.set(source.data);
  else operation(source, result.data, value);
  return result;
}

describe('RandAugment operations on greyscale', () => {
  const parameterOf = (name: OperationName): number => {
    const row = operations[name];
    return 'range' in row ? Math.round((row.range[0] + row.range[1] * 3) * 25) / 100 : 0;
  };

  /** A greyscale image and the same as red = green = blue. */
  function greyAndColored(seed: number): [Pixels, Pixels] {
    const random = randomStream(seed);
    const grey = createPixels(9, 13, 1);
    const colored = createPixels(9, 13, 3);
    grey.data.forEach((_, i) => {
      grey.data[i] = random.integer(256);
      colored.data.fill(grey.data[i], 3 * i, 3 * i + 3);
    });
    return [grey, colored];
  }

  test.each(operationNames)('%s does what it does to three equal channels', (name) => {
    const [grey, colored] = greyAndColored(1);
    const value = name === 'posterize' ? 5 : parameterOf(name);
    const greyResult = apply(name, grey, value);
    const coloredResult = apply(name, colored, value);
    greyResult.data.forEach((level, i) => {
      expect([...coloredResult.data.subarray(3 * i, 3 * i + 3)]).toEqual([level, level, level]);
    });
  });
});

describe('RandAugment operations on extreme images', () => {
  test.each(operationNames)('%s keeps a black image black, or inverts it', (name) => {
    const result = apply(name, createPixels(5, 7, 3), name === 'posterize' ? 4 : 0.3);
    expect([0, 255]).toContain(result.data[0]);
    expect(new Set(result.data).size).toBe(1);
  });

  test.each(operationNames)('%s takes images of one pixel, one row and one column', (name) => {
    for (const [height, width] of [
      [1, 1],
      [1, 5],
      [5, 1],
      [2, 2],
    ]) {
      const image = createPixels(height, width, 1);
      image.data.fill(200);
      expect(apply(name, image, name === 'posterize' ? 8 : 0.2).data.length).toBe(height * width);
    }
  });
});

describe('RandAugment in single and double precision', () => {
  test('keeps an even area at its level under any rotation', () => {
    const image = createPixels(24, 24, 1);
    image.data.fill(201);
    for (let degrees = -30; degrees <= 30; degrees += 0.7) {
      const shown = apply('rotate', image, degrees).data.filter((level) => level !== 0);
      expect(new Set(shown)).toEqual(new Set([201]));
    }
  });

  test('blends colors in single precision, where 200.999996 is 201', () => {
    const image = { data: Uint8Array.of(201, 200, 200), height: 1, width: 1, channels: 3 };
    expect([...apply('color', image, 0.999996).data]).toEqual([201, 200, 200]);
  });
});

describe('randAugment', () => {
  const image = createPixels(8, 8, 3);
  image.data.forEach((_, i) => {
    image.data[i] = (i * 37) % 256;
  });
  const run = (seed: number, options: Partial<RandAugmentOptions>): number[] => {
    const copy = { ...image, data: image.data.slice() };
    const all = { operations: 2, magnitude: 9, exclude: [], ...options };
    return [...randAugment(copy, createPixels(8, 8, 3), randomStream(seed), all).data];
  };

  test('draws everything from the stream', () => {
    expect(run(5, {})).toEqual(run(5, {}));
    expect(run(5, {})).not.toEqual(run(6, {}));
  });

  test('leaves the image alone with no operations', () => {
    expect(run(1, { operations: 0 })).toEqual([...image.data]);
  });

  test('never draws an excluded operation', () => {
    const exclude = operationNames.filter((name) => name !== 'invert');
    expect(run(1, { operations: 1, exclude })).toEqual([...image.data].map((level) => 255 - level));
    expect(run(2, { operations: 2, exclude })).toEqual([...image.data]);
  });

  test('stays in the lowest bin at magnitude 0', () => {
    const exclude = operationNames.filter((name) => name !== 'solarize');
    for (let seed = 0; seed < 50; seed++) {
      // Threshold 0…25.6: everything from 26 on is inverted.
      run(seed, { operations: 1, magnitude: 0, exclude }).forEach((level, i) => {
        if (image.data[i] >= 26) expect(level).toBe(255 - image.data[i]);
      });
    }
  });

  test.each([
    [{ operations: -1 }, 'operations'],
    [{ operations: 1.5 }, 'operations'],
    [{ magnitude: 10 }, 'magnitude'],
    [{ magnitude: Number.NaN }, 'magnitude'],
    [{ exclude: ['blur' as OperationName] }, 'blur'],
    [{ exclude: operationNames }, 'excluded'],
  ])('refuses %o', (wrong, word) => {
    const options = { operations: 2, magnitude: 9, exclude: [], ...wrong };
    expect(() => checkRandAugmentOptions(options)).toThrow(InputError);
    expect(() => checkRandAugmentOptions(options)).toThrow(word);
  });
});
