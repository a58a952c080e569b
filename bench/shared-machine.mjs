// Training WRN-28-2 while another program keeps one processor busy, as on a laptop in use: ours, with the waiting that libgomp
// has by itself, and PyTorch. And ours alone on the machine, with both ways of waiting, which is what short waiting costs.
import { spawn } from 'node:child_process';
import { measureSides, pathOf, printSides } from './sides.mjs';

const OPTIONS = ['WRN-28-2', 64, 32].map(String);

export function measure({ rounds, threads }) {
  const options = [...OPTIONS, String(threads)];
  const ours = [process.execPath, pathOf('throughput-side.mjs'), ...options];
  const alone = {
    featmatch: ours,
    "featmatch, libgomp's waiting": ['env', 'GOMP_SPINCOUNT=300000', ...ours],
  };
  const pytorch = ['/usr/bin/python3', pathOf('pytorch/throughput.py'), 'training', ...options];
  const other = spawn(process.execPath, ['-e', 'for (;;) {}'], { stdio: 'ignore', detached: true }); // a session of its own
  let shared;
  try {
    shared = measureSides({ ...alone, 'PyTorch, channels-last': pytorch }, { rounds });
  } finally {
    other.kill();
  }
  return { shared: shared.imagesPerSecond, alone: measureSides(alone, { rounds }).imagesPerSecond };
}

export function print({ shared, alone }) {
  console.log(' beside another program:');
  printSides(shared, 'images/s');
  console.log(' alone:');
  printSides(alone, 'images/s');
}
