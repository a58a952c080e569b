// The compiled command line: `npm test` compiles it before.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { algorithms } from '../ssl/index.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

function list(...args: string[]): string {
  const { stdout, stderr } = spawnSync(process.execPath, [MAIN, 'algorithms', ...args], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout;
}

describe('featmatch algorithms', () => {
  it('says of every one its year, its views, what a step costs and what it does', () => {
    const [header, ...rows] = list().trimEnd().split('\n');
    expect(header).toMatch(/^name +method +year +labeled +unlabeled +passes\/step +idea$/);
    expect(rows.map((row) => row.split(' ')[0])).toEqual(Object.keys(algorithms));
    expect(rows).toContainEqual(
      expect.stringMatching(/^supervised +Supervised baseline +– +1 strong +– +16 /),
    );
    expect(rows).toContainEqual(
      expect.stringMatching(/^featmatch +FeatMatch +2020 +1 strong +1 weak, 1 strong +80 +strong views/),
    );
    expect(rows).toContainEqual(expect.stringMatching(/^vat +VAT +2018 +1 weak +1 weak +160 +answers shall/));
  });

  it('gives everything as JSON, with citations', () => {
    const all: { name: string; year: number | null; summary: string }[] = JSON.parse(list('--json'));
    expect(all.find(({ name }) => name === 'mixmatch')).toEqual({
      name: 'mixmatch',
      title: 'MixMatch',
      citation: algorithms.mixmatch.citation,
      year: 2019,
      summary: algorithms.mixmatch.summary,
      views: { labeled: { weak: 1, strong: 0 }, unlabeled: { weak: 2, strong: 0 } },
      passesPerStep: 144,
    });
    for (const { name, year, summary } of all) {
      expect(year === null, name).toBe(name === 'supervised');
      expect(summary.length, name).toBeLessThan(100);
    }
  });
});
