// One side of first-prediction.mjs: a whole process from its start to the class of one image file.
// Usage: node first-prediction-side.mjs featmatch|least|empty <folder of a model> <image>
const [side, folder, image] = process.argv.slice(2);
const sides = { featmatch: throughFeatmatch, least: throughLeast, empty: () => null };
const label = await sides[side]();
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ processorMilliseconds: (user + system) / 1000, label }));

async function throughFeatmatch() {
  const { loadModel } = await import('../dist/infer/node/index.js');
  const model = await loadModel(folder);
  return (await model.classify(image)).label;
}

/** The least that such a program does: load both native packages, decode, scale down, run; by number, not by name. */
async function throughLeast() {
  const { createRequire } = await import('node:module');
  const require = createRequire(import.meta.url);
  const sharp = require('sharp');
  const { InferenceSession, Tensor } = require('onnxruntime-node');
  const { input } = require(`${folder}/model.json`);
  const { height, width, channels } = input;
  const session = await InferenceSession.create(`${folder}/model.onnx`);
  const pixels = await sharp(image)
    .resize(width, height)
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer();
  const { probabilities } = await session.run({
    pixels: new Tensor('uint8', pixels, [1, height, width, channels]),
  });
  return probabilities.data.indexOf(Math.max(...probabilities.data));
}
