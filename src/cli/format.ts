/** Numbers for people. */
import type { Statistics } from '../runs/index.js';

/** `4.2 s`, `1:05`, `2:03:04`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const twoDigits = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${twoDigits(minutes)}:${twoDigits(rest)}` : `${minutes}:${twoDigits(rest)}`;
}

/** `512 B`, `25.2 MB` (powers of 1000). */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A share of 0…1 as `97.85 %`; `–` for none. */
export function formatPercent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : `${(100 * share).toFixed(2)} %`;
}

/** The spread of shares of 0…1 in percent; nothing for none. */
export function formatAccuracy(accuracy: Statistics | null): string {
  if (accuracy === null) return '';
  const { mean, deviation } = accuracy;
  return formatSpread({ mean: 100 * mean, deviation: deviation === null ? null : 100 * deviation });
}

/** `7.38 ± 0.94`; without a deviation where there is none. */
export function formatSpread(spread: { mean: number; deviation: number | null } | undefined): string {
  if (spread === undefined) return '';
  const { mean, deviation } = spread;
  return deviation === null ? mean.toFixed(2) : `${mean.toFixed(2)} ± ${deviation.toFixed(2)}`;
}

/** One sentence on stderr. */
export function printWarning(sentence: string): void {
  process.stderr.write(`warning: ${sentence}\n`);
}
