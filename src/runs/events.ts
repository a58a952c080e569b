/**
 * What TensorBoard reads, as bytes: TFRecords of `tensorboard.Event` messages (tensorboard/compat/proto: event.proto,
 * summary.proto, histogram.proto; field numbers beside the code).
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { crc32c } from './crc32c.js';

/** A number, a distribution of numbers, or a picture, under a name of which `group/name` is shown in a group. */
export type Summary = { readonly tag: string } & (
  | { readonly scalar: number }
  | { readonly histogram: Histogram }
  | { readonly image: EncodedImage; readonly description?: string }
);

export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** upper ends of the buckets, rising */
  readonly limits: readonly number[];
  /** how many numbers are in each */
  readonly counts: readonly number[];
}

export interface EncodedImage {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly png: Uint8Array;
}

export interface Event {
  /** seconds since 1970 */
  readonly wallTime: number;
  readonly step: number;
  readonly content:
    | { readonly kind: 'version' }
    | { readonly kind: 'start' }
    | { readonly kind: 'summary'; readonly values: readonly Summary[] };
}

const { Varint, Bit64, Bit32, LengthDelimited } = WireType;

/** One record: length, its checksum, the event, its checksum. */
export function encodeEvent(event: Event): Uint8Array {
  const message = eventMessage(event).finish();
  const record = Buffer.alloc(message.byteLength + 16);
  record.writeBigUInt64LE(BigInt(message.byteLength));
  record.writeUInt32LE(maskedChecksum(record.subarray(0, 8)), 8);
  record.set(message, 12);
  record.writeUInt32LE(maskedChecksum(message), 12 + message.byteLength);
  return record;
}

/** As TFRecords have it, so that the checksum of bytes with checksums in them is none of a kind. */
function maskedChecksum(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function eventMessage({ wallTime, step, content }: Event): BinaryWriter {
  const writer = new BinaryWriter().tag(1, Bit64).double(wallTime);
  if (step !== 0) writer.tag(2, Varint).int64(step);
  switch (content.kind) {
    case 'version':
      return writer.tag(3, LengthDelimited).string('brain.Event:2');
    case 'start': // SessionLog.status = START: what was there of later steps does not count any more
      return part(writer, 7, (session) => session.tag(1, Varint).int32(1));
    case 'summary':
      return part(writer, 5, (summary) => {
        for (const value of content.values) part(summary, 1, (inner) => writeValue(inner, value));
      });
  }
}

function writeValue(writer: BinaryWriter, value: Summary): void {
  writer.tag(1, LengthDelimited).string(value.tag);
  if ('scalar' in value) {
    writer.tag(2, Bit32).float(value.scalar);
  } else if ('image' in value) {
    const { height, width, channels, png } = value.image;
    part(writer, 4, (image) =>
      image
        .tag(1, Varint)
        .int32(height)
        .tag(2, Varint)
        .int32(width)
        .tag(3, Varint)
        .int32(channels) // 1 = gray, 3 = RGB
        .tag(4, LengthDelimited)
        .bytes(png),
    );
    const { description } = value;
    if (description !== undefined)
      part(writer, 9, (metadata) => metadata.tag(3, LengthDelimited).string(description));
  } else {
    const { min, max, count, sum, sumOfSquares, limits, counts } = value.histogram;
    part(writer, 5, (histogram) => {
      [min, max, count, sum, sumOfSquares].forEach((number, i) => {
        histogram.tag(i + 1, Bit64).double(number);
      });
      for (const [field, numbers] of [
        [6, limits],
        [7, counts],
      ] as const) {
        part(histogram, field, (packed) => {
          for (const number of numbers) packed.double(number);
        });
      }
    });
  }
}

/** A field that is a message of its own, or a packed list. */
function part(writer: BinaryWriter, field: number, write: (inner: BinaryWriter) => unknown): BinaryWriter {
  writer.tag(field, LengthDelimited).fork();
  write(writer);
  return writer.join();
}
