/** Event files of TensorBoard, read by their format alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { crc32c } from '../../src/runs/crc32c.js';

/** What a message has under its field numbers. */
type Fields = Map<number, (number | Uint8Array)[]>;

export interface ReadEvent {
  readonly step: number;
  readonly version?: string;
  readonly isStart: boolean;
  readonly values: readonly ReadValue[];
}

export interface ReadValue {
  readonly tag: string;
  readonly scalar?: number;
  readonly image?: { readonly height: number; readonly width: number; readonly png: Buffer };
  /** numbers counted */
  readonly histogramCount?: number;
}

/** All events of the files in a folder, in their order. @throws Error where a record is damaged */
export function readEvents(folder: string): ReadEvent[] {
  const files = readdirSync(folder).filter((name) => name.includes('tfevents'));
  return files.sort().flatMap((name) => [...records(readFileSync(join(folder, name)))].map(readEvent));
}

function* records(file: Buffer): Generator<Uint8Array> {
  for (let start = 0; start < file.length; ) {
    const length = Number(file.readBigUInt64LE(start));
    check(file.subarray(start, start + 8), file.readUInt32LE(start + 8));
    const message = file.subarray(start + 12, start + 12 + length);
    check(message, file.readUInt32LE(start + 12 + length));
    yield message;
    start += length + 16;
  }
}

function check(bytes: Uint8Array, masked: number): void {
  const rotated = (masked - 0xa282ead8) >>> 0;
  if (((rotated << 15) | (rotated >>> 17)) >>> 0 !== crc32c(bytes)) throw new Error('a wrong checksum');
}

function readEvent(bytes: Uint8Array): ReadEvent {
  const event = fieldsOf(bytes);
  const [summary] = parts(event, 5);
  return {
    step: number(event, 2) ?? 0,
    version: text(event, 3),
    isStart: parts(event, 7).some((session) => number(session, 1) === 1),
    values: summary === undefined ? [] : parts(summary, 1).map(readValue),
  };
}

function readValue(value: Fields): ReadValue {
  const [image] = parts(value, 4);
  const [histogram] = parts(value, 5);
  return {
    tag: text(value, 1) ?? '',
    scalar: number(value, 2),
    image: image && {
      height: number(image, 1) ?? 0,
      width: number(image, 2) ?? 0,
      png: Buffer.from(image.get(4)?.[0] as Uint8Array),
    },
    histogramCount: histogram && number(histogram, 3),
  };
}

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = new BinaryReader(bytes);
  const fields: Fields = new Map();
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    const value = [() => Number(reader.int64()), () => reader.double(), () => reader.bytes()][type]?.();
    fields.set(field, [...(fields.get(field) ?? []), value ?? reader.float()]);
  }
  return fields;
}

const parts = (fields: Fields, field: number) =>
  (fields.get(field) ?? []).map((bytes) => fieldsOf(bytes as Uint8Array));
const number = (fields: Fields, field: number) => fields.get(field)?.[0] as number | undefined;
const text = (fields: Fields, field: number) => {
  const bytes = fields.get(field)?.[0];
  return bytes === undefined ? undefined : Buffer.from(bytes as Uint8Array).toString();
};
