import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks', // libtorch lives in the process: no worker threads
    maxWorkers: 2,
    testTimeout: 60_000,
    reporters: ['default'],
  },
});
