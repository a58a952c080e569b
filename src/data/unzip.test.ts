import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fixturePath, readFixture } from '../../test/support/fixtures.js';
import { InputError } from '../errors.js';
import { unzip } from './unzip.js';

let into: string;
beforeEach(() => {
  into = mkdtempSync(join(tmpdir(), 'featmatch-unzip-'));
});
afterEach(() => rmSync(into, { recursive: true }));

async function failure(archive: string, part = 'part'): Promise<string> {
  const error = await unzip(archive, { part, into }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(InputError);
  expect(existsSync(join(into, part))).toBe(false);
  return (error as Error).message;
}

test('a name that leads out of the folder is refused', async () => {
  expect(await failure(fixturePath('data/zip/upwards.zip'))).toMatch(
    /upwards\.zip: cannot be unpacked \(.*relative path/,
  );
  expect(existsSync(join(into, '../evil.txt'))).toBe(false);
});

test.each([
  ['no archive', Buffer.from('<html>')],
  ['a truncated archive', readFixture('data/zip/archive.zip').subarray(0, 200)],
  ['a damaged file in it', damaged()],
])('%s is refused, and nothing gets its name', async (_, bytes) => {
  const archive = join(into, 'archive.zip');
  writeFileSync(archive, bytes);
  expect(await failure(archive)).toMatch(
    /archive\.zip: cannot be unpacked \(.+\); make room or get it again/,
  );
});

test('an archive without the wanted folder is refused', async () => {
  expect(await failure(fixturePath('data/zip/archive.zip'), 'parts')).toMatch(/cannot be unpacked/);
  expect(readdirSync(into)).toEqual([]);
});

/** With the compressed content of one file overwritten. */
function damaged(): Buffer {
  const bytes = readFixture('data/zip/archive.zip');
  const content = bytes.indexOf('b.txt') + 'b.txt'.length;
  return Buffer.from(bytes).fill(0xff, content, content + 8);
}
