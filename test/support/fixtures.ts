/** The small data files that independent writers made; their generators lie beside them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of a file or folder, such as `data/cifar`. */
export const fixturePath = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

export const readFixture = (name: string): Buffer => readFileSync(fixturePath(name));

/** The 32×32 color images that the generators of CIFAR and SVHN write: (image, row, column, channel). */
export function generatedImages(count: number, seed: number): number[] {
  return Array.from({ length: count * 3072 }, (_, i) => {
    const [image, row, column, channel] = [
      Math.floor(i / 3072),
      Math.floor(i / 96) % 32,
      Math.floor(i / 3) % 32,
      i % 3,
    ];
    return (image * 50 + channel * 85 + row * 3 + column * 2 + seed) % 256;
  });
}
