import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { explainWriteError, writeFileAtomically, writeJsonAtomically } from './atomic.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'featmatch-atomic-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('writeFileAtomically', () => {
  it('writes text and bytes, and creates missing folders', () => {
    const path = join(folder, 'a/b/file');
    writeFileAtomically(path, 'é\n');
    expect(readFileSync(path, 'utf8')).toBe('é\n');
    writeFileAtomically(path, Uint8Array.of(0x78, 0));
    expect(readFileSync(path, 'utf8')).toBe('x\0');
  });

  it('leaves no temporary file behind', () => {
    writeFileAtomically(join(folder, 'file'), 'content');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('replaces the file by a new one, so that a reader of the old one keeps its content', () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
    const before = statSync(path).ino;
    writeFileAtomically(path, 'new');
    expect(statSync(path).ino).not.toBe(before);
  });

  it('keeps the old content and cleans up where writing fails', () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'old');
    const broken = { byteLength: 3 } as Uint8Array;
    expect(() => writeFileAtomically(path, broken)).toThrow(TypeError);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it('explains in one sentence why it cannot write', () => {
    const parent = join(folder, 'file');
    writeFileSync(parent, '');
    expect(() => writeFileAtomically(join(parent, 'child'), '')).toThrow(InputError);
    expect(() => writeFileAtomically(join(parent, 'deeper/child'), '')).toThrow(InputError);
    expect(() => writeFileAtomically(join(parent, 'child'), '')).toThrow(
      /cannot write .*child: .* is a file/,
    );
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    expect(explainWriteError(full, 'x')).toEqual(
      new InputError('cannot write x: the disk is full; free some space or choose another folder'),
    );
    const bug = new RangeError('bug');
    expect(explainWriteError(bug, 'x')).toBe(bug);
  });
});

describe('writeJsonAtomically', () => {
  it('writes indented JSON with a closing newline', () => {
    writeJsonAtomically(join(folder, 'x.json'), { a: [1] });
    expect(readFileSync(join(folder, 'x.json'), 'utf8')).toBe('{\n  "a": [\n    1\n  ]\n}\n');
  });
});
