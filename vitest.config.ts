import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const endToEnd = ['test/end-to-end/**/*.test.ts'];
const excluded = ['node_modules', '.cache', 'data'];

export default defineConfig({
  test: {
    globalSetup: ['test/harness/global-setup.ts'],
    setupFiles: ['test/harness/away-from-midnight.ts', 'test/harness/show-outputs-of-failed-tests.ts'],
    // Most tests wait for processes, so more of them run at a time than there are cores.
    maxWorkers: Math.max(4, availableParallelism()),
    // Files of a worker share its modules: loading them for each file took a third of the time.
    isolate: false,
    // Longer than `waitFor` waits, so that the error names the condition. Tests do not measure speed.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    // By default one second, which a busy machine exceeds.
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default'],
    projects: [
      { extends: true, test: { name: 'end-to-end', include: endToEnd, exclude: excluded } },
      {
        extends: true,
        test: { name: 'unit', include: ['**/*.test.ts'], exclude: [...excluded, ...endToEnd] },
      },
    ],
  },
});
