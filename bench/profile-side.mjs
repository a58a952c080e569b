// The side of profile.mjs. Usage: node profile-side.mjs <kind of step> <threads>
import { startProfiling, stopProfiling } from '../dist/tensor/index.js';
import { createStep, timeSteps } from './featmatch-step.mjs';
import { spread } from './sides.mjs';

const [WARM_UP, STEPS] = [2, 5];
const [kind, threads] = process.argv.slice(2);
const { step } = createStep(kind, { threads: Number(threads) });
const stepMilliseconds = 1000 * spread(timeSteps(step, { warmUp: WARM_UP, steps: STEPS })).median;

startProfiling();
const started = performance.now();
for (let number = 0; number < STEPS; number++) step(WARM_UP + STEPS + number);
const profiledMilliseconds = (performance.now() - started) / STEPS;
const { operators } = stopProfiling();

/** By name: milliseconds of a step that an operator took itself, without those that it called. */
const own = {};
const open = []; // spans around the one that is looked at
for (const span of [...operators].sort((a, b) => a.start - b.start || b.end - a.end)) {
  while (open.length > 0 && open.at(-1).end <= span.start) open.pop();
  const milliseconds = (span.end - span.start) / 1000 / STEPS;
  const parent = open.at(-1);
  if (parent !== undefined) own[parent.name] -= milliseconds;
  const name = span.name.replace(
    /^(autograd::engine::evaluate_function: )?torch::autograd::CppNode<.*::(\w+)>/,
    '$2, backward',
  );
  own[name] = (own[name] ?? 0) + milliseconds;
  open.push({ name, end: span.end });
}
console.log(JSON.stringify({ stepMilliseconds, profiledMilliseconds, ...own }));
