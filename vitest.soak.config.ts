// What takes minutes, or root: npm run soak:resume, npm run soak:disk.
import config from './vitest.config.js';

export default {
  ...config,
  test: { ...config.test, include: ['test/soak/*.soak.ts'], testTimeout: 3_600_000, hookTimeout: 300_000 },
};
