// One side of inference.mjs. Usage: node inference-side.mjs featmatch|runtime <folder of a model> <threads>
import { readFileSync } from 'node:fs';

const [side, folder, threads] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const IMAGES = 1024;
const BATCH = 64;
const SECONDS = 3;

const { input } = JSON.parse(readFileSync(`${folder}/model.json`, 'utf8'));
const pictures = Array.from({ length: IMAGES }, (_, i) => picture(input, i));
const classify = side === 'featmatch' ? await throughFeatmatch() : await throughRuntime(input);
await classify(pictures);
const start = performance.now();
const processorStart = process.cpuUsage();
let images = 0;
do {
  await classify(pictures);
  images += IMAGES;
} while (performance.now() - start < 1000 * SECONDS);
const { user, system } = process.cpuUsage(processorStart);
console.log(
  JSON.stringify({
    imagesPerSecond: (1000 * images) / (performance.now() - start),
    imagesPerProcessorSecond: (1e6 * images) / (user + system),
  }),
);

async function throughFeatmatch() {
  const { loadModel } = await import('../dist/infer/node/index.js');
  const model = await loadModel(folder, { threads });
  return (pictures) => model.classify(pictures);
}

/** The least that a program on ONNX Runtime does: bytes side by side in, the greatest probability out. */
async function throughRuntime({ height, width, channels }) {
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(`${folder}/model.onnx`, { intraOpNumThreads: threads });
  return async (pictures) => {
    for (let start = 0; start < pictures.length; start += BATCH) {
      const part = pictures.slice(start, start + BATCH);
      const bytes = new Uint8Array(part.length * height * width * channels);
      part.forEach(({ data }, i) => {
        bytes.set(data, i * data.length);
      });
      const pixels = new Tensor('uint8', bytes, [part.length, height, width, channels]);
      const { probabilities } = await session.run({ pixels }, ['probabilities', 'similarity']);
      const classes = probabilities.data.length / part.length;
      part.map((_, i) => Math.max(...probabilities.data.subarray(i * classes, (i + 1) * classes)));
    }
  };
}

function picture({ height, width, channels }, number) {
  const data = Uint8Array.from({ length: height * width * channels }, (_, i) => (i * (number + 3)) % 256);
  return { data, height, width, channels };
}
