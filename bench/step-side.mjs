// Our sides of step.mjs. Usage: node step-side.mjs reference|reference-weak|paper <threads>
import { createStep, peakMegabytes, timeSteps } from './featmatch-step.mjs';
import { spread } from './sides.mjs';

const [kind, threads] = process.argv.slice(2);
const { step, views } = createStep(kind, { threads: Number(threads) });
const seconds = timeSteps(step, { warmUp: 2, steps: 5 });
console.log(
  JSON.stringify({ imagesPerSecond: views / spread(seconds).median, peakMegabytes: peakMegabytes() }),
);
