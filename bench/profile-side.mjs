// Where the time of a step goes, for profile.mjs. Usage: node profile-side.mjs <kind of step> <threads>
import { startProfiling, stopProfiling } from '../dist/tensor/index.js';
import { createStep, timeSteps } from './featmatch-step.mjs';
import { spread } from './sides.mjs';

const STEPS = 5;
const [kind, threads] = process.argv.slice(2);
const { step } = createStep(kind, { threads: Number(threads) });
const stepSeconds = spread(timeSteps(step, { warmUp: 2, steps: STEPS })).median;

startProfiling();
const started = performance.now();
for (let number = 0; number < STEPS; number++) step(7 + number);
const profiledSeconds = (performance.now() - started) / 1000 / STEPS;
const { operators } = stopProfiling();

/** By name: milliseconds of a step that an operator took itself, without those that it called, and its calls. */
const own = new Map();
const open = []; // spans that contain the one looked at
for (const span of [...operators].sort((a, b) => a.start - b.start || b.end - a.end)) {
  while (open.length > 0 && open.at(-1).end <= span.start) open.pop();
  const milliseconds = (span.end - span.start) / 1000 / STEPS;
  const parent = own.get(open.at(-1)?.name);
  if (parent !== undefined) parent.milliseconds -= milliseconds;
  const entry = own.get(span.name) ?? { milliseconds: 0, calls: 0 };
  entry.milliseconds += milliseconds;
  entry.calls += 1 / STEPS;
  own.set(span.name, entry);
  open.push(span);
}
console.log(JSON.stringify({ stepSeconds, profiledSeconds, operators: Object.fromEntries(own) }));
