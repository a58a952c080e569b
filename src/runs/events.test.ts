import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { crc32c } from './crc32c.js';
import { type Event, encodeEvent } from './events.js';

describe('CRC-32C', () => {
  it.each([
    ['123456789', 0xe3069283],
    ['', 0],
    ['\0'.repeat(32), 0x8a9136aa], // RFC 3720, B.4
    ['\xff'.repeat(32), 0x62a8ab43],
  ])('of %j', (text, expected) => {
    expect(crc32c(Buffer.from(text, 'latin1'))).toBe(expected);
  });
});

describe('events', () => {
  it("are the bytes that Google's protobuf writes of TensorBoard's messages", () => {
    const events: Event[] = [
      { wallTime: 1_700_000_000.25, step: 0, content: { kind: 'version' } },
      { wallTime: 1_700_000_001.5, step: 250, content: { kind: 'start' } },
      {
        wallTime: 1_700_000_002,
        step: 2 ** 40,
        content: {
          kind: 'summary',
          values: [
            { tag: 'loss/loss', scalar: 0.1 },
            { tag: 'loss/lossClf', scalar: 0 },
            {
              tag: 'pseudo-labels/confidences',
              histogram: {
                min: 0.25,
                max: 1,
                count: 5,
                sum: 3.5,
                sumOfSquares: 2.75,
                limits: [0.25, 0.5, 0.75, 1],
                counts: [0, 2, 0, 3],
              },
            },
            {
              tag: 'views/ü',
              image: {
                height: 300,
                width: 2,
                channels: 3,
                png: Uint8Array.from({ length: 256 }, (_, i) => i),
              },
              description: 'An image a row.',
            },
          ],
        },
      },
    ];
    const golden = readFileSync(new URL('../../test/fixtures/tensorboard/events.tfevents', import.meta.url));
    expect(Buffer.concat(events.map(encodeEvent)).toString('hex')).toBe(golden.toString('hex'));
  });
});
