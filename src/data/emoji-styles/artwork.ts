/** The artwork of a family: from a code point to its SVG. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import type { UnicodeEmoji } from './concepts.js';
import { EMOJI_PACKAGE, type Family, INSTALL_COMMAND } from './families.js';

export interface Artwork {
  /** Version of the package. */
  readonly version: string;
  has(codePoint: string): boolean;
  /** The picture of a code point that it has. */
  svg(codePoint: string): string;
}

/** What is used of Iconify's JSON format, https://iconify.design/docs/types/iconify-json.html */
interface IconifyIcons {
  readonly icons: Readonly<Record<string, { body: string; width?: number; height?: number }>>;
  readonly width?: number;
  readonly height?: number;
}

const DEFAULT_SIZE = 16; // Iconify's

/**
 * @param folder where packages are looked for first, as `node_modules` in it or above it
 * @throws InputError if the package is not installed
 */
export function readArtwork({ npmPackage, namesFrom = npmPackage }: Family, folder: string): Artwork {
  const { icons, ...size } = readPackageFile<IconifyIcons>(npmPackage, 'icons.json', folder);
  const names = readPackageFile<Record<string, string>>(namesFrom, 'chars.json', folder);
  const { version } = readPackageFile<{ version: string }>(npmPackage, 'package.json', folder);
  return {
    version,
    has: (codePoint) => Object.hasOwn(names, codePoint) && Object.hasOwn(icons, names[codePoint]),
    svg(codePoint) {
      const icon = icons[names[codePoint]];
      const width = icon.width ?? size.width ?? DEFAULT_SIZE;
      const height = icon.height ?? size.height ?? DEFAULT_SIZE;
      return (
        `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
        `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" color="black">${icon.body}</svg>`
      );
    },
  };
}

/** @throws InputError if the package is not installed */
export function readUnicodeEmoji(folder: string): UnicodeEmoji[] {
  return readPackageFile(EMOJI_PACKAGE.npmPackage, 'emoji.json', folder);
}

function readPackageFile<Content>(npmPackage: string, file: string, folder: string): Content {
  const places = [createRequire(join(folder, 'package.json')), createRequire(import.meta.url)];
  for (const require of places) {
    const path = require.resolve.paths(npmPackage)?.map((modules) => join(modules, npmPackage, file)) ?? [];
    for (const candidate of path) {
      try {
        return JSON.parse(readFileSync(candidate, 'utf8'));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
  }
  throw new InputError(
    `emoji-styles is drawn from npm packages, and ${npmPackage} is not installed: run "${INSTALL_COMMAND}" (150 MB)`,
  );
}
