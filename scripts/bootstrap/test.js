import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runChecks } from './check.js';
import { endLike, run } from './run.js';
import { summaryOf } from './summary.js';

/**
 * Runs the checks, then all tests; the last line has the counts.
 * @param {{ node: string, root: string, env: NodeJS.ProcessEnv, args: readonly string[] }} context
 * @returns {Promise<boolean>} whether everything passed
 */
export async function runTests({ node, root, env, args }) {
  const failedChecks = await runChecks({ node, root, env });
  const file = join(root, '.cache/test-report.json');
  rmSync(file, { force: true });
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'];
  const result = await run(node, [...vitest, `--outputFile.json=${file}`, ...args], { cwd: root, env });
  const summary = summaryOf({ report: readReport(file), failedChecks, exitCode: result.code ?? 1 });
  console.log(`\n${summary.text}`);
  if (result.signal) endLike(result);
  return summary.isGood;
}

/**
 * @param {string} file
 * @returns {import('./summary.js').Report | undefined}
 */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
