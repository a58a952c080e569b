// Milliseconds from the start of a process to its end, which classifies one JPEG of 640×480: featmatch/infer and
// featmatch predict, beside the least program on ONNX Runtime and sharp, and beside a process that does nothing.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { exportedModel } from './inference.mjs';
import { formatSpread, pathOf } from './sides.mjs';

/** Each side four times a round, as one takes less than half a second. */
export async function measure({ rounds }) {
  const model = exportedModel();
  const photo = join(tmpdir(), `featmatch-bench-${process.pid}.jpg`);
  const noise = { type: 'gaussian', mean: 128, sigma: 40 };
  await sharp({ create: { width: 640, height: 480, channels: 3, noise } }).toFile(photo);
  const side = (name) => [pathOf('first-prediction-side.mjs'), name, model, photo];
  const sides = {
    'featmatch/infer': side('featmatch'),
    'featmatch predict': [pathOf('../dist/cli/main.js'), 'predict', '--model', model, photo],
    'ONNX Runtime and sharp alone': side('least'),
    'an empty process': side('empty'),
  };
  const milliseconds = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = 0; round < 4 * rounds; round++) {
    for (const [name, args] of Object.entries(sides)) {
      const start = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${name} failed: ${stderr}`);
      milliseconds[name].push(performance.now() - start);
    }
  }
  return milliseconds;
}

export function print(milliseconds) {
  const width = Math.max(...Object.keys(milliseconds).map((name) => name.length));
  for (const [name, values] of Object.entries(milliseconds)) {
    console.log(`  ${name.padEnd(width)}  ${formatSpread(values, 0)} ms`);
  }
}
