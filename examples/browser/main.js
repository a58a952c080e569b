// The model is in model/ beside the page: npx featmatch export runs/<run> --output examples/browser/public/model
import { loadModel } from 'featmatch/infer/browser';

const status = document.querySelector('#status');
const files = document.querySelector('#files');
const results = document.querySelector('#results');
const percent = (share) => `${(100 * share).toFixed(1)}\u00a0%`;

let model;
try {
  model = await loadModel('model/');
  files.disabled = false;
  status.textContent = `Ready: it tells ${model.manifest.classes.join(', ')} apart.`;
} catch (error) {
  status.textContent = `The model cannot be loaded: ${error.message}`;
  status.className = 'error';
}

async function show(images) {
  if (model === undefined) return;
  results.replaceChildren();
  for (const [i, image] of images.entries()) {
    status.textContent = `Looking at image ${i + 1} of ${images.length}…`;
    results.append(await article(image));
  }
  status.textContent = `${images.length} of ${images.length} images done.`;
}

async function article(image) {
  try {
    const { label, confidence, outOfDomain, classes, prototypes } = await model.explain(image, { top: 3 });
    const picture = element('img', { src: URL.createObjectURL(image), alt: image.name });
    picture.addEventListener('load', () => URL.revokeObjectURL(picture.src));
    const others = classes.slice(1).map((other) => `${other.label} ${percent(other.probability)}`);
    return element('article', {}, [
      picture,
      element('div', {}, [
        element('h2', { textContent: label }),
        element('p', {
          className: 'confidence',
          textContent: `${percent(confidence)} sure; ${others.join(', ')}`,
        }),
        ...(outOfDomain
          ? [
              element('p', {
                className: 'strange',
                textContent: 'Unlike what the model learned from: do not rely on it.',
              }),
            ]
          : []),
        ...(prototypes.length > 0 ? [element('p', { textContent: 'It resembles, most first:' })] : []),
        element('ul', {}, prototypes.map(prototypeItem)),
      ]),
    ]);
  } catch (error) {
    return element('article', {}, [element('p', { className: 'error', textContent: error.message })]);
  }
}

function prototypeItem({ label, attention, thumbnail }) {
  const text = `${label}, ${percent(attention)}`;
  const caption = element('span', { textContent: text });
  return element('li', {}, thumbnail === null ? [caption] : [canvasOf(thumbnail), caption]);
}

/** Decorative: the caption beside it says what it is. */
function canvasOf({ data, height, width }) {
  const canvas = element('canvas', { height, width, ariaHidden: 'true' });
  const picture = new ImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    picture.data.set(data.subarray(3 * i, 3 * i + 3), 4 * i);
    picture.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d').putImageData(picture, 0, 0);
  return canvas;
}

function element(name, properties, children = []) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const imagesIn = (list) => [...list].filter((file) => file.type.startsWith('image/'));
files.addEventListener('change', () => show([...files.files]));
document.addEventListener('paste', (event) => show(imagesIn(event.clipboardData.files)));
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  show(imagesIn(event.dataTransfer.files));
});
