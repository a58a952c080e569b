import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgress, createRateMeter, formatTraining } from './progress.js';

/** A stream that keeps what is written to it. */
function memoryStream(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = '';
  const writable = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const terminal = {
    isTTY,
    columns: 120,
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
  };
  return { stream: Object.assign(writable, terminal) as unknown as NodeJS.WriteStream, text: () => text };
}

let now = 0;
beforeEach(() => {
  now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => vi.restoreAllMocks());

describe('progress', () => {
  it('is a plain line every ten seconds where there is no terminal, and one at the end', () => {
    const { stream, text } = memoryStream(false);
    const progress = createProgress({ label: 'featmatch', total: 100, stream });
    for (let step = 1; step <= 100; step++) {
      now += 200;
      progress.update(step, `loss ${step}`);
    }
    progress.stop();
    progress.stop();
    expect(text()).toBe('featmatch  50/100  10 s left  loss 50\nfeatmatch  100/100  loss 100\n');
  });

  it('estimates the time left from where it started', () => {
    const { stream, text } = memoryStream(false);
    const progress = createProgress({ label: 'resumed', total: 100, start: 90, stream });
    now += 20_000;
    progress.update(92);
    expect(text()).toBe('resumed  92/100  1:20 left\n');
  });

  it('is a bar on a terminal, with lines above it', () => {
    const { stream, text } = memoryStream(true);
    const progress = createProgress({ label: 'file', total: 2000, format: (bytes) => `${bytes} B`, stream });
    progress.update(500, '265 images/s');
    progress.log('a line above');
    progress.update(2000);
    progress.stop();
    expect(text()).toContain('a line above\n');
    expect(text()).toMatch(/file {2}█{24} {2}2000 B\/2000 B .*265 images\/s/);
  });
});

describe('createRateMeter', () => {
  it('gives the rate of the last seconds', () => {
    const rate = createRateMeter({ windowSeconds: 5, start: 100 });
    let count = 100;
    const run = (seconds: number, perSecond: number) => {
      let last = 0;
      for (let i = 0; i < seconds * 10; i++) {
        now += 100;
        count += perSecond / 10;
        last = rate(count);
      }
      return last;
    };
    expect(run(3, 100)).toBeCloseTo(100);
    expect(run(10, 300)).toBeCloseTo(300);
  });

  it('is 0 before any time has passed', () => {
    expect(createRateMeter()(5)).toBe(0);
  });
});

describe('formatTraining', () => {
  it('puts rate and losses side by side', () => {
    expect(formatTraining(264.6, { loss: 0.123456, lossClf: 12.3456 })).toBe(
      '265 images/s  loss 0.123  lossClf 12.3',
    );
  });
});
