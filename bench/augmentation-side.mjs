// One side of augmentation.mjs. Usage: node augmentation-side.mjs <file of RGB images> <side> <seconds>
import { readFileSync } from 'node:fs';
import { operationNames } from '../dist/image/rand-augment.js';
import { randomStream } from '../dist/image/random.js';
import { createViewMaker, defaultViewOptions } from '../dist/image/views.js';

const [path, side, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const size = side * side * 3;
const file = readFileSync(path);
const images = Array.from({ length: file.length / size }, (_, i) => ({
  data: new Uint8Array(file.subarray(i * size, (i + 1) * size)),
  height: side,
  width: side,
  channels: 3,
}));
const target = new Uint8Array(size);
const options = defaultViewOptions({ height: side, width: side });

/** Views as a loader's thread makes them, each from a stream of random numbers into a target: by processor second. */
function imagesPerSecond(strong, duration) {
  const makeView = createViewMaker({ ...options, strong: { ...options.strong, ...strong } });
  const measure = (least) => {
    const started = processorSeconds();
    for (let views = 0; ; ) {
      for (const image of images) makeView('strong', image, randomStream(0, 2, 2, 0, views++, 1), target);
      const elapsed = processorSeconds() - started;
      if (elapsed >= least) return views / elapsed;
    }
  };
  measure(duration / 2); // until it is compiled
  return measure(duration);
}

function processorSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const result = { 'two operations': imagesPerSecond({}, seconds) };
for (const name of operationNames) {
  const exclude = operationNames.filter((other) => other !== name);
  result[name] = imagesPerSecond({ operations: 1, exclude }, seconds / 8);
}
console.log(JSON.stringify(result));
