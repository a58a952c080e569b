/** Traces of training: what a viewer of the Trace Event Format needs, and that nothing is recorded unasked. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stripesPair, toyConfig } from '../../test/support/toy-images.js';
import { runPaths } from '../runs/index.js';
import { ones, setThreads, startProfiling, stopProfiling, tidy } from '../tensor/index.js';
import { train } from './train.js';

interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'M';
  readonly cat?: string;
  readonly ts: number;
  readonly dur: number;
  readonly tid: number;
  readonly args?: { name: string };
}

const root = mkdtempSync(join(tmpdir(), 'featmatch-profile-'));
beforeAll(() => setThreads(1));
afterAll(() => rmSync(root, { recursive: true }));

/** Trains twelve steps, and reads the trace. */
async function traceOf(profileSteps: number, ...settings: string[]): Promise<TraceEvent[] | null> {
  const folder = join(root, settings.join() + profileSteps);
  await train(toyConfig(...settings), stripesPair(), { folder, profileSteps });
  const { profile } = runPaths(folder);
  return existsSync(profile) ? JSON.parse(readFileSync(profile, 'utf8')).traceEvents : null;
}

const named = (events: readonly TraceEvent[], name: string) => events.filter((event) => event.name === name);
const threadOf = (events: readonly TraceEvent[], name: string) =>
  named(events, 'thread_name').find(({ args }) => args?.name === name)?.tid;

describe('a profile of training', () => {
  let events: TraceEvent[];
  beforeAll(async () => {
    events = (await traceOf(5, 'data.workers=1')) as TraceEvent[];
  });

  it('has the steps after the warm-up, or the last ones of a short run', () => {
    const steps = events.filter(({ name }) => /^step \d/.test(name)).map(({ name }) => name);
    expect(steps).toEqual(['step 8', 'step 9', 'step 10', 'step 11', 'step 12']);
  });

  it('has the parts of each step within it, and operators within those', () => {
    const isWithin = (outer: TraceEvent) => (event: TraceEvent) =>
      event.tid === outer.tid && event.ts >= outer.ts && event.ts + event.dur <= outer.ts + outer.dur;
    for (const step of events.filter(({ name }) => /^step \d/.test(name))) {
      const inStep = events.filter(isWithin(step));
      for (const part of ['wait for the loader', 'batch to tensors', 'loss', 'backward', 'update']) {
        expect(named(inStep, part), `${part} in ${step.name}`).toHaveLength(1);
      }
      const [loss] = named(inStep, 'loss');
      expect(inStep.filter(isWithin(loss)).some(({ name }) => name === 'aten::linear')).toBe(true);
      const [backward] = named(inStep, 'backward');
      const inBackward = inStep.filter(isWithin(backward)).map(({ name }) => name);
      expect(inBackward.some((name) => name.includes('AddmmBackward'))).toBe(true);
    }
  });

  it('has the batches that a thread of the loader made, on the same clock', () => {
    const made = events.filter(({ cat }) => cat === 'loader');
    expect(made.length).toBeGreaterThan(0);
    expect(new Set(made.map(({ tid }) => tid))).toEqual(new Set([threadOf(events, 'loader 0')]));
    // the batch of a step is made before the step's tensors are
    for (const batch of made) {
      const step = named(events, batch.name.replace('views of ', ''))[0];
      if (step !== undefined) expect(batch.ts).toBeLessThan(step.ts + step.dur);
    }
  });

  it('has times that a viewer can draw: none is negative, and spans of a thread nest', () => {
    const spans = events.filter(({ ph }) => ph === 'X');
    expect(spans.filter(({ ts, dur }) => ts < 0 || dur < 0)).toEqual([]);
    const training = spans
      .filter(({ tid }) => tid === threadOf(events, 'training'))
      .sort((a, b) => a.ts - b.ts || b.dur - a.dur);
    const open: TraceEvent[] = [];
    const crossing: TraceEvent[] = [];
    for (const span of training) {
      while (open.length > 0 && endOf(open[open.length - 1]) <= span.ts) open.pop();
      const parent = open.at(-1);
      if (parent !== undefined && endOf(span) > endOf(parent)) crossing.push(span);
      open.push(span);
    }
    expect(crossing).toEqual([]);
  });

  it('is not written unasked, and changes no number', async () => {
    expect(await traceOf(0, 'data.workers=1')).toBeNull();
    const metricsOf = (profileSteps: number) =>
      readFileSync(runPaths(join(root, `data.workers=1${profileSteps}`)).metrics, 'utf8').replace(
        /"seconds":[^,}]*/g,
        '',
      );
    expect(metricsOf(0)).toBe(metricsOf(5));
  });

  it('is of all steps where there are no more than asked for', async () => {
    const short = await traceOf(50, 'steps=3', 'data.workers=0');
    expect(short?.filter(({ name }) => /^step \d/.test(name))).toHaveLength(3);
  });
});

const endOf = ({ ts, dur }: TraceEvent) => ts + dur;

describe('the times of operators', () => {
  it('are taken between start and stop alone, and only once at a time', () => {
    tidy(() => ones([2]).add(1));
    startProfiling();
    expect(() => startProfiling()).toThrow('already');
    tidy(() => ones([2]).mul(2));
    const { operators } = stopProfiling();
    tidy(() => ones([2]).div(2));
    expect(operators.map(({ name }) => name)).toContain('aten::mul');
    for (const name of ['aten::add', 'aten::div']) expect(operators.map((o) => o.name)).not.toContain(name);
    expect(stopProfiling().operators).toEqual([]);
  });
});
