// Where the time of step.mjs's reference step goes: by operator, without those that it calls itself.
import { measureAlone, pathOf, spread } from './sides.mjs';

const MOST_ROUNDS = 3;
const LINES = 16;

export function measure({ rounds, threads }) {
  return measureAlone([process.execPath, pathOf('profile-side.mjs'), 'reference', String(threads)], {
    rounds: Math.min(rounds, MOST_ROUNDS),
  });
}

export function print({ stepMilliseconds, profiledMilliseconds, ...operators }) {
  const median = (values) => spread(values).median;
  const line = (name, milliseconds) =>
    console.log(
      `  ${milliseconds.toFixed(1).padStart(8)} ms ${((100 * milliseconds) / median(profiledMilliseconds)).toFixed(1).padStart(5)} %  ${name}`,
    );
  console.log(`  a step takes ${median(stepMilliseconds).toFixed(0)} ms, and while it is profiled`);
  line('all', median(profiledMilliseconds));
  const sorted = Object.entries(operators)
    .map(([name, values]) => [name, median(values)])
    .sort((a, b) => b[1] - a[1]);
  for (const [name, milliseconds] of sorted.slice(0, LINES)) line(name, milliseconds);
  const known = sorted.reduce((sum, [, milliseconds]) => sum + milliseconds, 0);
  line('other operators', known - sorted.slice(0, LINES).reduce((sum, [, m]) => sum + m, 0));
  line('between operators', median(profiledMilliseconds) - known);
}
