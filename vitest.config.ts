import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules', '.cache', 'data'],
    globalSetup: ['scripts/harness/global-setup.ts'],
    // Most tests wait for processes; with one worker, the default on two cores, they wait one after the other.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Longer than `waitFor` waits, so that what fails is named. A test that ends in time says nothing of how fast it is.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['default'],
  },
});
