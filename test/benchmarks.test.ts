// That the benchmarks which the documentation names, and those that are there, can be run by name. They measure nothing here.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const pathOf = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

it('every benchmark has a name, and the documentation names no other', () => {
  const { status, stderr } = spawnSync(process.execPath, [pathOf('bench/run.mjs'), 'nothing'], {
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  const names = /there are (.*)$/m.exec(stderr)?.[1].split(', ') ?? [];

  const modules = readdirSync(pathOf('bench')).filter((file) =>
    /^export .*function measure\(/m.test(
      file.endsWith('.mjs') ? readFileSync(pathOf(`bench/${file}`), 'utf8') : '',
    ),
  );
  expect(modules.map((file) => file.replace('.mjs', '')).sort()).toEqual([...names].sort());

  const documents = ['README.md', ...readdirSync(pathOf('docs')).map((file) => `docs/${file}`)].filter(
    (file) => file.endsWith('.md'),
  );
  const named = documents.flatMap((file) =>
    [...readFileSync(pathOf(file), 'utf8').matchAll(/npm run bench -- ([\w-]+)/g)].map(([, name]) => name),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(names).toEqual(expect.arrayContaining(named));
});
