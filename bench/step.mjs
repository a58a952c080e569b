// One step of FeatMatch: WRN-28-2 on 3×32×32, 8 labeled and 16 unlabeled images, K = 8, p_k = 20, ten classes. Our steps
// beside PyTorch doing the published one, as published (contiguous, both passes with gradients recorded) and tuned
// (channels-last, the first pass without). Images are views: each of those that a side's step learns from counts once.
import { formatSpread, measureSides, pathOf, printSides } from './sides.mjs';

const MOST_ROUNDS = 3; // a round takes a minute
const PUBLISHED = 'PyTorch, as published';

export function measure({ rounds, threads }) {
  const own = (kind) => [process.execPath, pathOf('step-side.mjs'), kind, String(threads)];
  const pytorch = (kind) => ['/usr/bin/python3', pathOf('pytorch/step.py'), kind, String(threads)];
  const sides = {
    'featmatch, reference': own('reference'),
    'featmatch, reference, labels by weak views': own('reference-weak'),
    'featmatch, paper': own('paper'),
    [PUBLISHED]: pytorch('as-published'),
    'PyTorch, tuned': pytorch('tuned'),
  };
  const measured = measureSides(sides, { rounds: Math.min(rounds, MOST_ROUNDS) });
  return Object.fromEntries(
    Object.entries(measured).map(([key, { numbers, ratios }]) => [
      key,
      { numbers, ratios, ratiosToPublished: ratiosTo(numbers, PUBLISHED) },
    ]),
  );
}

/** Each side's numbers by those of one side, round by round. */
function ratiosTo(numbers, base) {
  const of = (values) => values.map((value, round) => value / numbers[base][round]);
  return Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, of(values)]));
}

export function print({ imagesPerSecond, peakMegabytes }) {
  printSides(imagesPerSecond, 'images/s');
  printToPublished('images/s', imagesPerSecond);
  console.log('  peak resident memory, MB');
  for (const [name, values] of Object.entries(peakMegabytes.numbers)) {
    console.log(`    ${name.padEnd(44)} ${formatSpread(values, 0)}`);
  }
  printToPublished('peak memory', peakMegabytes);
}

function printToPublished(what, { ratiosToPublished }) {
  console.log(`  ${what} by those of PyTorch, as published`);
  for (const [name, values] of Object.entries(ratiosToPublished)) {
    if (name !== PUBLISHED) console.log(`    ${name.padEnd(44)} ${formatSpread(values, 2)}`);
  }
}
