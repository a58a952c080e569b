import { expect, it } from 'vitest';
import { Stopwatch } from './stopwatch.js';

it('adds up wall time, and processor time only while something computes', async () => {
  const stopwatch = new Stopwatch();
  const sleep = () => new Promise((resolve) => setTimeout(resolve, 60));
  await sleep();
  expect(stopwatch).toMatchObject({ seconds: 0, cpuSeconds: 0 });
  await stopwatch.time(sleep);
  const slept = { ...stopwatch };
  expect(slept.seconds).toBeGreaterThan(0.05);
  const value = await stopwatch.time(async () => {
    const { user } = process.cpuUsage();
    while (process.cpuUsage().user - user < 60_000); // µs
    return 7;
  });
  expect(value).toBe(7);
  expect(stopwatch.seconds).toBeGreaterThan(slept.seconds);
  expect(stopwatch.cpuSeconds - slept.cpuSeconds).toBeGreaterThanOrEqual(0.06);
  expect(slept.cpuSeconds).toBeLessThan(0.05);
});
