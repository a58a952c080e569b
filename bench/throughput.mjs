// Training throughput of WRN-28-2 on 3×32×32 in batches of 64: forward, backward and SGD, channels-last on both sides.
import { fileURLToPath } from 'node:url';
import { measureSides, printSides } from './sides.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));

export function measure({ rounds, threads }) {
  const sides = {
    featmatch: [process.execPath, path('throughput-side.mjs'), String(threads)],
    'PyTorch, channels-last': ['/usr/bin/python3', path('pytorch/throughput.py'), String(threads)],
  };
  return measureSides(sides, { rounds }).imagesPerSecond;
}

export const print = (result) => printSides(result, 'images/s');
