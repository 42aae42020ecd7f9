import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const wholes = ['**/behaviour/**/*.test.ts'];
const elsewhere = ['node_modules', '.cache', 'data'];

export default defineConfig({
  test: {
    globalSetup: ['scripts/harness/global-setup.ts'],
    // Most tests wait for processes, and each for its own: more of them at a time than there are cores.
    maxWorkers: Math.max(3, availableParallelism()),
    // Longer than `waitFor` waits, so that what fails is named. A test that ends in time says nothing of how fast it is.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['default'],
    projects: [
      { extends: true, test: { name: 'behaviour', include: wholes, exclude: elsewhere } },
      {
        extends: true,
        // What they share is the modules: reading them anew for each of these small files took longer than the tests.
        test: {
          name: 'parts',
          include: ['**/*.test.ts'],
          exclude: [...elsewhere, ...wholes],
          isolate: false,
        },
      },
    ],
  },
});
