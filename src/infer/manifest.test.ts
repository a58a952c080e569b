import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeExportedModel } from '../../test/support/exported.js';
import { type Manifest, parseManifest } from './manifest.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-manifest-'));
let manifest: Manifest;
beforeAll(async () => {
  manifest = await writeExportedModel(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What is wrong, after the name of the file. */
function problem(changes: object): string {
  try {
    parseManifest(JSON.stringify({ ...manifest, ...changes }), 'model.json');
    return 'nothing';
  } catch (error) {
    return (error as Error).message.replace('model.json does not describe a model of featmatch: ', '');
  }
}

describe('a description of a model', () => {
  it('is read as it was written, also with keys of a later version', () => {
    expect(parseManifest(JSON.stringify(manifest), '')).toEqual(manifest);
    expect(problem({ calibration: { temperature: 1.5, images: 3 }, prototypes: null, more: 1 })).toBe(
      'nothing',
    );
  });

  it.each([
    [{ format: 2 }, 'format: expected 1'],
    [{ classes: 'cat' }, 'classes: expected a list'],
    [{ classes: [] }, 'classes: there are none'],
    [{ classes: ['cat', 2] }, 'classes.1: expected text'],
    [{ classes: ['cat', 'dog'] }, 'prototypes.entries.2.label: there is no such class'],
    [{ input: { height: 0, width: 8, channels: 1 } }, 'input.height: expected a whole number from 1 to 4096'],
    [
      { input: { height: 8, width: 8.5, channels: 1 } },
      'input.width: expected a whole number from 1 to 4096',
    ],
    [{ input: { height: 8, width: 8, channels: 4 } }, 'input.channels: expected 1 or 3'],
    [{ resize: null }, 'resize: expected an object'],
    [{ resize: [] }, 'resize: expected an object'],
    [{ model: { bytes: -1 } }, `model.bytes: expected a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`],
    [{ model: { bytes: 1, sha256: 'AB' } }, 'model.sha256: expected 64 hexadecimal digits'],
    [{ calibration: undefined }, 'calibration: expected an object'],
    [
      { calibration: { temperature: 0, images: 1 } },
      'calibration.temperature: expected a number from 0.001 to 1000',
    ],
    [{ outOfDomain: { threshold: '0' } }, 'outOfDomain.threshold: expected a number from -1 to 1'],
    [
      { prototypes: { entries: [{ label: 0, image: 1, similarity: null }] } },
      'prototypes.entries.0.similarity: expected a number',
    ],
  ])('is refused: %j', (changes, sentence) => {
    expect(problem(changes)).toBe(sentence);
  });

  it('is refused where its time is none', () => {
    const provenance = { ...manifest.provenance, exportedAt: 'yesterday' };
    expect(problem({ provenance })).toBe('provenance.exportedAt: expected a time in ISO 8601');
  });
});
