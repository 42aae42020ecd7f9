import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * How far a test run has come; `running` are files.
 * @typedef {{ passed: number, failed: number, running: string[] }} Progress
 */

export const progressFile = join(dirname(fileURLToPath(import.meta.url)), '../../.cache/test-progress.json');

/** A reporter of vitest that keeps the progress in a file, because a run that is killed writes no report. */
export default class ProgressReporter {
  #passed = 0;
  #failed = 0;
  /** @type {Set<string>} */
  #running = new Set();
  #file;

  constructor({ file = progressFile } = {}) {
    this.#file = file;
  }

  /** @param {import('vitest/node').TestModule} module */
  onTestModuleQueued({ relativeModuleId }) {
    this.#running.add(relativeModuleId);
    this.#write();
  }

  /** @param {import('vitest/node').TestModule} module */
  onTestModuleEnd({ relativeModuleId, children }) {
    this.#running.delete(relativeModuleId);
    for (const test of children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') this.#passed++;
      if (state === 'failed') this.#failed++;
    }
    this.#write();
  }

  #write() {
    /** @type {Progress} */
    const progress = { passed: this.#passed, failed: this.#failed, running: [...this.#running] };
    writeFileSync(this.#file, JSON.stringify(progress));
  }
}
