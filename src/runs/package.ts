/** This package itself. Apart from what else describes the environment, so that `featmatch --version` loads little. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where package.json, scripts/ and native/ are, with a slash at the end. */
export const PACKAGE_FOLDER = fileURLToPath(new URL('../../', import.meta.url));

export function packageVersion(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(`${PACKAGE_FOLDER}package.json`, 'utf8'));
  return manifest.version;
}
