import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,interop,security,e2e,ui}/**/*.test.{ts,tsx}'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: true,
    maxWorkers: 2,
  },
});
