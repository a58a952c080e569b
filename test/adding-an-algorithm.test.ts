/** What docs/adding-an-algorithm.md says, done: the example's file and line, in a copy of the sources. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entropyMinimization } from '../examples/entropy-minimization.js';
import type { Module } from '../src/nn/index.js';
import type { Algorithm } from '../src/ssl/index.js';
import { setThreads } from '../src/tensor/index.js';
import { expectHandLoss, labeledLoss, mean, sum } from './support/by-hand.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'featmatch-sixteenth-'));
afterAll(() => rmSync(copy, { recursive: true }));
beforeAll(() => setThreads(1));

describe('the example of an algorithm', () => {
  it('has the loss and the gradients that its equation says', () => {
    expectHandLoss(entropyMinimization as unknown as Algorithm<unknown, Module>, {
      settings: { rampShare: 0.5 },
      loss(student, { batch, step }) {
        const entropies = batch.weak[0].map((image) => -sum(student.p(image).map((p) => p * Math.log(p))));
        return labeledLoss(student, batch) + 0.1 * (step / 5) * mean(entropies);
      },
    });
  });

  it('passes the conformance suite by a file in src/ssl and a line in its table', async () => {
    for (const name of ['src', 'test/support', 'package.json', 'vitest.config.ts'])
      cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    for (const name of ['node_modules', 'native']) symlinkSync(join(ROOT, name), join(copy, name));
    const example = readFileSync(join(ROOT, 'examples/entropy-minimization.ts'), 'utf8');
    const moved = example.replaceAll("'../src/ssl/", "'./").replaceAll("'../src/", "'../");
    writeFileSync(join(copy, 'src/ssl/entropy-minimization.ts'), moved);
    const table = join(copy, 'src/ssl/index.ts');
    const added = `import { entropyMinimization } from './entropy-minimization.js';\n${readFileSync(table, 'utf8')}`;
    writeFileSync(
      table,
      added.replace('  supervised,\n', "  supervised,\n  'entropy-minimization': entropyMinimization,\n"),
    );
    const report = join(copy, 'report.json');
    const args = ['run', 'src/ssl/conformance.test.ts', '-t', 'entropy-minimization'];
    await promisify(execFile)(
      join(ROOT, 'node_modules/.bin/vitest'),
      [...args, '--reporter=json', `--outputFile=${report}`],
      { cwd: copy },
    );
    const { success, numPassedTests } = JSON.parse(readFileSync(report, 'utf8'));
    expect(success).toBe(true);
    expect(numPassedTests).toBeGreaterThanOrEqual(17);
  });
});
