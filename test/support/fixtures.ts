/** The small data files that independent writers made; their generators lie beside them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of a file or folder, such as `data/cifar`. */
export const fixturePath = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

export const readFixture = (name: string): Buffer => readFileSync(fixturePath(name));
