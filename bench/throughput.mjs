// Training throughput of the networks: forward, backward and SGD, channels-last on both sides; and what convolutions alone
// would allow with libtorch's kernels (oneDNN), each forward and backward at its best time, in the better layout.
import { measureSides, pathOf, printSides } from './sides.mjs';

/** Images of a batch, and their side. */
const SIZES = { 'WRN-28-2': [64, 32], 'CNN-13': [32, 32], 'ResNet-18': [32, 84] };
const MOST_ROUNDS = 3; // a round takes a minute

export function measure({ rounds, threads }) {
  return Object.fromEntries(
    Object.entries(SIZES).map(([name, sizes]) => {
      const options = [name, ...sizes, threads].map(String);
      const pytorch = (task) => ['/usr/bin/python3', pathOf('pytorch/throughput.py'), task, ...options];
      const sides = {
        featmatch: [process.execPath, pathOf('throughput-side.mjs'), ...options],
        'PyTorch, channels-last': pytorch('training'),
        "libtorch's convolutions alone": pytorch('convolutions'),
      };
      return [name, measureSides(sides, { rounds: Math.min(rounds, MOST_ROUNDS) }).imagesPerSecond];
    }),
  );
}

export function print(results) {
  for (const [name, result] of Object.entries(results)) {
    const [batch, side] = SIZES[name];
    console.log(` ${name}, batches of ${batch} at ${side}×${side}:`);
    printSides(result, 'images/s');
  }
}
