import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InputError } from '../errors.js';
import { METRICS } from './metric-names.js';
import { openMetrics, readMetrics, withoutTimes } from './metrics.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'featmatch-metrics-'));
  path = join(folder, 'metrics.jsonl');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe('metrics', () => {
  it('come back as they were written, in order', () => {
    const writer = openMetrics(path);
    const lines = Array.from({ length: 2000 }, (_, step) => ({
      step,
      loss: 1 / (step + 1),
      phase: 'é',
      gap: null,
    }));
    for (const line of lines) writer.append(line);
    writer.close();
    writer.close();
    expect(readMetrics(path)).toEqual(lines);
    expect(readFileSync(path, 'utf8').split('\n')[1]).toBe('{"step":1,"loss":0.5,"phase":"é","gap":null}');
  });

  it('are continued by a second writer where the first had saved them, without what came after', () => {
    const first = openMetrics(path);
    first.append({ step: 1, phase: 'é' });
    const length = first.save();
    expect(length).toBe(Buffer.byteLength('{"step":1,"phase":"é"}\n'));
    first.append({ step: 2, loss: 1 });
    first.close();
    const second = openMetrics(path, length);
    expect(readMetrics(path)).toEqual([{ step: 1, phase: 'é' }]);
    second.append({ step: 2, loss: 2 });
    expect(second.save()).toBeGreaterThan(length);
    second.close();
    expect(readMetrics(path)).toEqual([
      { step: 1, phase: 'é' },
      { step: 2, loss: 2 },
    ]);
  });

  it('are not continued where lines are missing', () => {
    writeFileSync(path, '{"step":1}\n');
    expect(() => openMetrics(path, 12)).toThrow(InputError);
    expect(() => openMetrics(path, 12)).toThrow(/metrics\.jsonl has 11 bytes, but had 12 when/);
    expect(readMetrics(path)).toEqual([{ step: 1 }]);
  });

  it('compare without the times that are in them', () => {
    expect(withoutTimes([{ step: 1, loss: 2, seconds: 3 }])).toEqual([{ step: 1, loss: 2 }]);
  });

  it('reach the file when they are saved, and by themselves after a second', () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const writer = openMetrics(path);
    writer.append({ step: 1 });
    expect(readMetrics(path)).toEqual([]);
    writer.save();
    expect(readMetrics(path)).toEqual([{ step: 1 }]);
    writer.append({ step: 2 });
    now += 1000;
    writer.append({ step: 3 });
    expect(readMetrics(path).length).toBe(3);
    writer.close();
  });

  it('leave out a line that is not finished', () => {
    writeFileSync(path, '{"step":1}\n{"step":2,"lo');
    expect(readMetrics(path)).toEqual([{ step: 1 }]);
  });

  it('are none where there is no file', () => {
    expect(readMetrics(path)).toEqual([]);
  });

  it.each(['{"step":', '[]', '{"loss":1}', '{"step":"1"}', '', 'null'])(
    'with the broken line %j name file and line',
    (broken) => {
      writeFileSync(path, '{"step":1}\n');
      appendFileSync(path, `${broken}\n{"step":3}\n`);
      expect(() => readMetrics(path)).toThrow(InputError);
      expect(() => readMetrics(path)).toThrow(/metrics\.jsonl, line 2: not a line of metrics/);
    },
  );

  it('that cannot be written are an error that names the file', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => openMetrics(join(folder, 'file', 'metrics.jsonl'))).toThrow(InputError);
  });
});

describe('the schema of metrics', () => {
  it('is in the documentation, all names of it and no others', () => {
    const docs = readFileSync(new URL('../../docs/runs.md', import.meta.url), 'utf8');
    const [, section] = docs.split('## metrics.jsonl\n');
    const [table] = section.split('\n## ');
    const names = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    expect(names.sort()).toEqual(['step', ...Object.keys(METRICS)].sort());
  });
});
