/** How much memory something takes at its peak, on Linux. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { collectGarbage } from './garbage.js';

const CLEAR = '/proc/self/clear_refs';
const RESET_PEAK = '5';

export const canMeasureMemory = existsSync(CLEAR);

function kilobytes(field: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
}

/** Bytes by which the resident memory of this process grew at most while `run` ran; it starts without garbage. */
export async function peakMemory(run: () => void): Promise<number> {
  await collectGarbage();
  writeFileSync(CLEAR, RESET_PEAK);
  const before = kilobytes('VmRSS');
  run();
  return (kilobytes('VmHWM') - before) * 1024;
}
