/** MNIST's files, with next to nothing in them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../../src/image/random.js';

/** Writes a data set of 28×28 images in MNIST's format into a folder: 200 to train, 30 to test. */
export function writeTinyMnist(folder: string, pixel = (index: number) => (index * 7919) % 251): void {
  mkdirSync(folder, { recursive: true });
  const idx = (name: string, shape: number[], value: (index: number) => number) => {
    const bytes = Buffer.alloc(4 + 4 * shape.length + shape.reduce((product, size) => product * size, 1));
    bytes.writeUInt32BE(0x0800 + shape.length);
    shape.forEach((size, axis) => {
      bytes.writeUInt32BE(size, 4 + 4 * axis);
    });
    const start = 4 + 4 * shape.length;
    for (let index = 0; start + index < bytes.length; index++) bytes[start + index] = value(index);
    writeFileSync(join(folder, name), bytes);
  };
  for (const [part, count] of [
    ['train', 200],
    ['t10k', 30],
  ] as const) {
    idx(`${part}-images-idx3-ubyte`, [count, 28, 28], pixel);
    idx(`${part}-labels-idx1-ubyte`, [count], (index) => index % 10);
  }
}

/** The same with noise in place of a pattern, and a bright block where the class says. */
export function writeNoisyMnist(folder: string): void {
  const random = randomStream(1);
  writeTinyMnist(folder, (index) => {
    const [image, y, x] = [Math.floor(index / 784), Math.floor(index / 28) % 28, index % 28];
    const isBright = Math.floor(x / 6) === image % 5 && Math.floor(y / 14) === Math.floor((image % 10) / 5);
    return random.integer(120) + (isBright ? 130 : 0);
  });
}
