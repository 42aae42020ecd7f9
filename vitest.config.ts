import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const endToEnd = ['test/end-to-end/**/*.test.ts'];
const elsewhere = ['node_modules', '.cache', 'data'];

export default defineConfig({
  test: {
    globalSetup: ['test/harness/global-setup.ts'],
    // Most tests wait for processes, and each for its own: more of them at a time than there are cores.
    maxWorkers: Math.max(3, availableParallelism()),
    // Longer than `waitFor` waits, so that what fails is named. A test that ends in time says nothing of how fast it is.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['default'],
    projects: [
      { extends: true, test: { name: 'end-to-end', include: endToEnd, exclude: elsewhere } },
      {
        extends: true,
        // What they share is the modules: reading them anew for each of these small files took longer than the tests.
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...elsewhere, ...endToEnd],
          isolate: false,
        },
      },
    ],
  },
});
