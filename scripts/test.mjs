// `npm test`: set-up, then every check that CI makes. Arguments go to vitest: `npm test -- src/runs`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setUp } from './setup.mjs';
import { ROOT, runMain, SetupError } from './steps.mjs';

/** Name, program, arguments. Vitest last: its closing lines are the last ones printed. */
const CHECKS = [
  ['types', 'tsc', ['-p', 'tsconfig.check.json']], // set-up has compiled what runs in browsers
  ['style', 'biome', ['check']],
  ['imports between rooms', 'depcruise', ['--config', '.dependency-cruiser.cjs', 'src']],
  ['tests', 'vitest', ['run', ...process.argv.slice(2)]],
];

await runMain(() => {
  setUp({ forTests: true });
  for (const [name, program, args] of CHECKS) {
    process.stdout.write(`\n> ${name}: ${program} ${args.join(' ')}\n`);
    // Started directly, which spares npx's half second.
    const { status } = spawnSync(join(ROOT, 'node_modules/.bin', program), args, {
      cwd: ROOT,
      stdio: 'inherit',
    });
    if (status !== 0) throw new SetupError(`the check "${name}" failed`);
  }
});
