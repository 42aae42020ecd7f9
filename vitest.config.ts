import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const endToEnd = ['test/end-to-end/**/*.test.ts'];
const excluded = ['node_modules', '.cache', 'data'];

export default defineConfig({
  test: {
    globalSetup: ['test/harness/global-setup.ts'],
    // Most tests wait for processes, so more of them run at a time than there are cores.
    maxWorkers: Math.max(3, availableParallelism()),
    // Longer than `waitFor` waits, so that the error names the condition. Tests do not measure speed.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    reporters: ['default'],
    projects: [
      { extends: true, test: { name: 'end-to-end', include: endToEnd, exclude: excluded } },
      {
        extends: true,
        // They share modules, because loading them for each of these small files took longer than the tests.
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...excluded, ...endToEnd],
          isolate: false,
        },
      },
    ],
  },
});
