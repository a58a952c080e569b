// Measures several commands in turn, round by round, so that a machine that slows down slows all of them.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Of a file in this folder. */
export const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Runs each side once a round; a side is a command that prints one JSON object of numbers, all with the same keys.
 * @returns for each key, per side its numbers, and per side after the first the ratios first / side, round by round
 */
export function measureSides(sides, { rounds }) {
  const names = Object.keys(sides);
  const printed = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, [command, ...args]] of Object.entries(sides)) {
      const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name}: ${command} failed: ${error?.message ?? stderr}`);
      printed[name].push(JSON.parse(stdout));
    }
  }
  const [first, ...others] = names;
  const measured = (key) => {
    const numbers = Object.fromEntries(names.map((name) => [name, printed[name].map((line) => line[key])]));
    const ratios = Object.fromEntries(
      others.map((name) => [name, numbers[first].map((value, round) => value / numbers[name][round])]),
    );
    return { numbers, ratios };
  };
  return Object.fromEntries(Object.keys(printed[first][0]).map((key) => [key, measured(key)]));
}

/** The same for one side, with its numbers alone: for each key a list. */
export function measureAlone(command, { rounds }) {
  const measured = measureSides({ alone: command }, { rounds });
  return Object.fromEntries(Object.entries(measured).map(([key, { numbers }]) => [key, numbers.alone]));
}

/** Median, least and greatest. */
export function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/** "1.09 (1.07–1.12)" */
export function formatSpread(values, digits) {
  const { median, min, max } = spread(values);
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/** The sides' numbers and the ratios, as aligned lines. */
export function printSides({ numbers, ratios }, unit) {
  const width = Math.max(...Object.keys(numbers).map((name) => name.length));
  for (const [name, values] of Object.entries(numbers)) {
    console.log(`  ${name.padEnd(width)}  ${formatSpread(values, 1)} ${unit}`);
  }
  const [first] = Object.keys(numbers);
  for (const [name, values] of Object.entries(ratios)) {
    console.log(`  ${first} / ${name}: ${formatSpread(values, 2)}`);
  }
}
