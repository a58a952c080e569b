// Breaks the code in one small way after another and shows that the test which pins the place fails; then, that it passes
// again without the break. Usage: node test/parity/breaks.mjs [number…], in a clean working tree; about five seconds each.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const featmatch = 'src/ssl/featmatch';

/** What of the method, the file, the text there, what it becomes, the test that has to fail. */
const breaks = [
  ['(1)', `${featmatch}/feature-augmentation.ts`, '.softmax(1);', '.softmax(0);', `${featmatch}/equations.parity`],
  ['(2)', `${featmatch}/feature-augmentation.ts`, '[e_x, attended]', '[attended, e_x]', `${featmatch}/equations.parity`],
  ['(3)', `${featmatch}/feature-augmentation.ts`, 'features.add(', 'features.sub(', `${featmatch}/equations.parity`],
  ['(4)', `${featmatch}/feature-paths.ts`, 'features: g, labeledWeight', 'features: f, labeledWeight', `${featmatch}/equations.parity`],
  ['(5)', `${featmatch}/feature-paths.ts`, 'features: f, labeledWeight: plain', 'features: g, labeledWeight: plain', `${featmatch}/equations.parity`],
  ['(6)', 'src/ssl/weak-to-strong.ts', 'crossEntropy(ofLabeled, y)', 'crossEntropy(ofLabeled, y).mul(0.5)', `${featmatch}/equations.parity`],
  ['(7)', `${featmatch}/feature-paths.ts`, 'unlabeledWeight: lambdaG', 'unlabeledWeight: lambdaF', `${featmatch}/equations.parity`],
  ['1 batches', 'src/config/published-presets.ts', 'labeled: 64', 'labeled: 63', 'src/config/published-presets'],
  ['2 sharpening', `${featmatch}/reference.ts`, 'sharpen(p_weak, temperature)', 'p_weak', `${featmatch}/reference.parity`],
  ['2 mixing', `${featmatch}/reference.ts`, 'mix(images, mixing)', 'images', `${featmatch}/reference.parity`],
  ['2 ramp', `${featmatch}/reference.ts`, 'linearRamp(step, rampSteps)', 'linearRamp(step + 1, rampSteps)', `${featmatch}/reference.parity`],
  ['3 scale', `${featmatch}/feature-augmentation.ts`, 'Math.sqrt(headDimension)', 'headDimension', `${featmatch}/feature-augmentation.parity`],
  ['3 heads', `${featmatch}/feature-augmentation.ts`, 'concatenate(heads, 1)', 'concatenate(heads.toReversed(), 1)', `${featmatch}/feature-augmentation.parity`],
  ['4 first stage', `${featmatch}/reference.ts`, 'hasAugmentation ? weighted.add', 'true ? weighted.add', `${featmatch}/reference.parity`],
  ['5 lengths', `${featmatch}/prototypes.ts`, "kMeans(directions,", "kMeans(features.mul(features),", `${featmatch}/prototypes.parity`],
  ['5 centers', `${featmatch}/prototypes.ts`, 'select(features, rows).mean', 'select(directions, rows).mean', `${featmatch}/prototypes.parity`],
  ['5 threshold', `${featmatch}/prototypes.ts`, 'confidence[row] > threshold', 'confidence[row] > threshold / 2', `${featmatch}/prototypes.parity`],
  ['6 schedule', 'src/train/schedule.ts', 'piecewiseLinear(step, 1 / 100,', 'piecewiseLinear(step, 1 / 10,', 'src/train/schedule.parity'],
  ['6 momentum', 'src/config/published-presets.ts', 'momentum: 0.95', 'momentum: 0.9', 'src/config/published-presets'],
  ['6 weight decay', 'src/nn/sgd.ts', 'addEachInPlace(directions, parameters, weightDecay)', 'addEachInPlace(directions, parameters, -weightDecay)', 'src/nn/sgd.test'],
  ['7 median', 'src/train/protocol.ts', 'measurements.slice(-window)', 'measurements.slice(0, window)', 'src/train/protocol.test'],
  ['8 raw input', 'src/models/wide-resnet.ts', "preActivation === 'first-only'", 'false', 'src/models/backbones.parity'],
  ['8 momentum', 'src/models/wide-resnet.ts', 'momentum: batchNormMomentum, dtype };', 'momentum: 0.1, dtype };', 'src/models/backbones.parity'],
  ['9 whitening', 'src/train/zca.ts', 'div(values.sqrt()', 'div(values', 'src/train/zca.parity'],
  ['10 weak view', 'src/image/weak-view.ts', '2 * cropPadding + 1', '2 * cropPadding', 'src/image/weak-view'],
  ['10 center', 'src/image/affine.ts', 'source.width / 2 + 0.5', 'source.width / 2', 'src/image/rand-augment.parity'],
  ['10 sign', 'src/image/affine.ts', 'rowByColumn: -sine', 'rowByColumn: sine', 'src/image/rand-augment.parity'],
  ['10 levels', 'src/image/lookup.ts', 'Math.ceil(threshold)', 'Math.ceil(threshold) + 1', 'src/image/rand-augment.parity'],
];

const passes = (test) =>
  spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', test, '--reporter=dot'], { cwd: root })
    .status === 0;

const chosen = process.argv.slice(2).map(Number);
let survived = 0;
for (const [number, [what, file, from, to, test]] of breaks.entries()) {
  if (chosen.length > 0 && !chosen.includes(number)) continue;
  const path = root + file;
  const source = readFileSync(path, 'utf8');
  if (!source.includes(from)) throw new Error(`${file} has no "${from}" any more: break ${number} has to be written anew`);
  writeFileSync(path, source.replace(from, to));
  try {
    const hasFailed = !passes(test);
    if (!hasFailed) survived++;
    console.log(`| ${number} | ${what} | \`${from}\` → \`${to}\` | ${test} ${hasFailed ? 'fails' : 'PASSES'} |`);
  } finally {
    writeFileSync(path, source);
  }
}
const tests = [...new Set(breaks.filter((_, i) => chosen.length === 0 || chosen.includes(i)).map((row) => row[4]))];
for (const test of tests) if (!passes(test)) throw new Error(`${test} fails without any break`);
console.log(survived === 0 ? 'every break was seen' : `${survived} breaks were not seen`);
process.exitCode = survived === 0 ? 0 : 1;
