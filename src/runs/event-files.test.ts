import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEvents } from '../../test/support/read-events.js';
import { InputError } from '../errors.js';
import { openEvents } from './event-files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'featmatch-events-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a number for each step, and gives the length after the last. */
function write(start: { step: number; length: number }, steps: readonly number[]): number {
  const writer = openEvents(folder, start);
  for (const step of steps) writer.append(step, [{ tag: 'a', scalar: step }]);
  const length = writer.save();
  writer.close();
  return length;
}

const steps = () => readEvents(folder).flatMap(({ step, values }) => values.map(() => step));

describe('event files', () => {
  it('go on in a new one for each process, from the length that was saved, however many there are', () => {
    const first = write({ step: 0, length: 0 }, [1, 2]);
    write({ step: 2, length: first }, [3, 4]); // killed later
    const second = write({ step: 2, length: first }, [3]);
    write({ step: 3, length: second }, [4, 5]);
    write({ step: 2, length: first }, [3, 4, 5]); // an older checkpoint
    expect(steps()).toEqual([1, 2, 3, 4, 5]);
    expect(readdirSync(folder).length).toBe(2);
  });

  it('lose what a process wrote after the last save', () => {
    const writer = openEvents(folder, { step: 0, length: 0 });
    writer.append(1, [{ tag: 'a', scalar: 1 }]);
    const length = writer.save();
    writer.append(2, [{ tag: 'a', scalar: 2 }]);
    writer.close();
    write({ step: 1, length }, [2]);
    expect(steps()).toEqual([1, 2]);
  });

  it('leave the other files of the folder alone', () => {
    writeFileSync(join(folder, 'projector_config.pbtxt'), '');
    write({ step: 0, length: 0 }, [1]);
    write({ step: 0, length: 0 }, [1]);
    expect(readdirSync(folder).length).toBe(2);
  });

  it('are refused where some of them are missing', () => {
    const length = write({ step: 0, length: 0 }, [1]);
    truncateSync(join(folder, readdirSync(folder)[0]), length - 1);
    expect(() => openEvents(folder, { step: 1, length })).toThrow(InputError);
  });
});
