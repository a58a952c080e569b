// One step of FeatMatch: WRN-28-2 on 3×32×32, 8 labeled and 16 unlabeled images, K = 8, p_k = 20, ten classes. Our steps
// beside PyTorch doing the published one, as published (contiguous, both passes with gradients recorded) and tuned
// (channels-last, the first pass without). Images are views: each of those that a side's step learns from counts once.
import { formatSpread, measureSides, pathOf, printSides } from './sides.mjs';

const MOST_ROUNDS = 3; // a round takes two minutes

export function measure({ rounds, threads }) {
  const own = (kind) => [process.execPath, pathOf('step-side.mjs'), kind, String(threads)];
  const published = (kind) => ['/usr/bin/python3', pathOf('pytorch/step.py'), kind, String(threads)];
  const sides = {
    'featmatch, reference': own('reference'),
    'featmatch, reference, labels by weak views': own('reference-weak'),
    'featmatch, paper': own('paper'),
    'PyTorch, as published': published('as-published'),
    'PyTorch, tuned': published('tuned'),
  };
  return measureSides(sides, { rounds: Math.min(rounds, MOST_ROUNDS) });
}

export function print({ imagesPerSecond, peakMegabytes }) {
  printSides(imagesPerSecond, 'images/s');
  console.log('  peak resident memory, MB');
  for (const [name, values] of Object.entries(peakMegabytes.numbers)) {
    console.log(`    ${name.padEnd(44)} ${formatSpread(values, 0)}`);
  }
}
