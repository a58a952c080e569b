import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { randomStream } from '../image/random.js';
import { decodeCheckpoint, readCheckpointFile, writeCheckpointFile } from './checkpoint-file.js';
import { encodeSafetensors, type SafetensorsTensor } from './safetensors.js';

const folder = mkdtempSync(join(tmpdir(), 'featmatch-checkpoint-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

const random = randomStream(1);
const TENSORS = new Map<string, SafetensorsTensor>([
  [
    'network.weight',
    { dtype: 'F32', shape: [16, 9], data: Float32Array.from({ length: 144 }, () => random.uniform()) },
  ],
  ['generator.learner', { dtype: 'U8', shape: [500], data: new Uint8Array(500).fill(7) }],
  ['"sha256":"', { dtype: 'I64', shape: [2], data: BigInt64Array.of(1n, -1n) }],
]);
const METADATA = { featmatch: JSON.stringify({ step: 3, sha256: '0'.repeat(64) }) };
const written = join(folder, 'written.safetensors');
writeCheckpointFile(written, TENSORS, METADATA);
const bytes = readFileSync(written);

/** What a file of these bytes is refused with. */
function refusal(content: Buffer): string {
  try {
    decodeCheckpoint(content, 'other.safetensors');
  } catch (error) {
    if (error instanceof InputError && error.message.startsWith('other.safetensors ')) return error.message;
    throw error;
  }
  return 'it was accepted';
}

describe('the file of a checkpoint', () => {
  it('gives back its tensors and metadata, and has the checksum that its description says', () => {
    const { tensors, metadata } = readCheckpointFile(written);
    expect(new Map([...tensors].sort())).toStrictEqual(new Map([...TENSORS].sort()));
    const { sha256, ...others } = metadata;
    expect(others).toEqual(METADATA);
    const text = bytes.toString('latin1').replace(sha256, '0'.repeat(64));
    expect(createHash('sha256').update(text, 'latin1').digest('hex')).toBe(sha256);
    expect(readdirSync(folder)).toEqual(['written.safetensors']);
  });

  it('is read by a reader in Python that knows the format alone', () => {
    const reader = fileURLToPath(new URL('../../test/support/read_safetensors.py', import.meta.url));
    const read = JSON.parse(execFileSync('python3', [reader, written], { encoding: 'utf8' }));
    const expected = [...TENSORS].map(([name, { dtype, shape, data }]) => {
      const sha256 = createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex');
      return [name, { dtype, shape, sha256 }] as const;
    });
    expect(read.tensors).toEqual(Object.fromEntries(expected));
    expect(read.metadata).toEqual(readCheckpointFile(written).metadata);
  });

  it('is refused with any byte changed: 1,000 random changes, and each byte in turn in its lowest bit', () => {
    const changes = Array.from({ length: 1000 }, () => ({
      at: random.integer(bytes.length),
      by: 1 + random.integer(255),
    }));
    for (const { at, by } of [...changes, ...Array.from(bytes.keys(), (at) => ({ at, by: 1 }))]) {
      const changed = Buffer.from(bytes);
      changed[at] ^= by;
      expect(refusal(changed), `byte ${at} xor ${by}`).not.toBe('it was accepted');
    }
  });

  it('is refused cut off anywhere, or with something after its end', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(refusal(bytes.subarray(0, length)), `${length} bytes`).not.toBe('it was accepted');
    }
    expect(refusal(Buffer.concat([bytes, Buffer.from(' ')]))).toContain('1 bytes follow its last tensor');
  });

  it('says of a changed one that it is damaged, and of one without checksum that it is none', () => {
    const changed = Buffer.from(bytes);
    changed[bytes.length - 1] ^= 1;
    expect(refusal(changed)).toMatch(/is damaged: its content does not fit its checksum$/);
    expect(refusal(encodeSafetensors(TENSORS, METADATA))).toMatch(
      /is no checkpoint of featmatch, or is damaged/,
    );
  });
});
