import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(process.env.FUZZ ? [] : ['src/data/formats/fuzz.test.ts'])], // npm run fuzz
    pool: 'forks', // libtorch lives in the process: no worker threads
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 60_000, // loading libtorch on a busy machine
    reporters: ['default'],
  },
});
