// Damaged images and models: each gives a result or one clear error. FUZZ=1000 says how many (`npm run fuzz`).
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeExportedModel } from '../../../test/support/exported.js';
import { mutate } from '../../../test/support/mutations.js';
import { InputError } from '../../errors.js';
import { randomStream } from '../../image/random.js';
import { loadModel } from './index.js';

const FILES = Number(process.env.FUZZ ?? 300);
const folder = mkdtempSync(join(tmpdir(), 'featmatch-fuzz-'));
beforeAll(() => writeExportedModel(folder));
afterAll(() => rmSync(folder, { recursive: true }));

/** The outcome of one damaged file; anything but a result and one sentence is thrown. */
async function outcome(number: number, work: () => Promise<unknown>): Promise<'fine' | 'refused'> {
  try {
    await work();
    return 'fine';
  } catch (error) {
    if (error instanceof InputError && /^[^\n]{1,1000}$/.test(error.message)) return 'refused';
    throw new Error(`file number ${number}`, { cause: error });
  }
}

function count(outcomes: readonly string[]): number {
  return outcomes.filter((name) => name === 'refused').length;
}

it(`${FILES} damaged images`, async () => {
  const model = await loadModel(folder, { threads: 1 });
  const noise = Uint8Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * i * 31) % 256);
  const image = sharp(noise, { raw: { width: 40, height: 30, channels: 3 } });
  const files = await Promise.all(
    (['png', 'jpeg', 'webp', 'gif', 'tiff'] as const).map((format) =>
      image.clone().toFormat(format).toBuffer(),
    ),
  );
  const outcomes: string[] = [];
  for (let number = 0; number < FILES; number++) {
    const file = mutate(files[number % files.length], randomStream(1, number));
    outcomes.push(await outcome(number, () => model.classify(file)));
  }
  expect(count(outcomes)).toBeGreaterThan(FILES / 4);
  expect((await model.classify(files[0])).label).toMatch(/cat|dog|owl/);
  await model.close();
});

it(`${FILES} damaged models`, async () => {
  const graph = readFileSync(join(folder, 'model.onnx'));
  const manifest = readFileSync(join(folder, 'model.json'));
  const image = { data: new Uint8Array(16 * 12), height: 16, width: 12, channels: 1 };
  const outcomes: string[] = [];
  for (let number = 0; number < FILES; number++) {
    const random = randomStream(2, number);
    const isGraph = number % 2 === 0;
    const file = isGraph ? mutate(graph, random) : graph;
    const text = (isGraph ? manifest : mutate(manifest, random)).toString();
    // as whoever damages it on purpose would do, the description fits the damaged graph
    const hash = createHash('sha256').update(file).digest('hex');
    const fitting = isGraph && number % 4 === 0 ? text.replace(/[0-9a-f]{64}/, hash) : text;
    outcomes.push(
      await outcome(number, async () => {
        const model = await loadModel({ graph: file, manifest: fitting }, { threads: 1 });
        try {
          await model.explain(image);
        } finally {
          await model.close();
        }
      }),
    );
  }
  expect(count(outcomes)).toBeGreaterThan(FILES / 2);
});
