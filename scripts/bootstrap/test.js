import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runChecks } from './check.js';
import { endLike, run } from './run.js';
import { summaryOf } from './summary.js';

/**
 * The checks, then all tests; the last line counts them.
 * @param {{ node: string, root: string, env: NodeJS.ProcessEnv, args: readonly string[] }} where
 * @returns {Promise<boolean>} whether all is well
 */
export async function runTests({ node, root, env, args }) {
  const failedChecks = await runChecks({ node, root, env });
  const file = join(root, '.cache/test-report.json');
  rmSync(file, { force: true });
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'];
  const ending = await run(node, [...vitest, `--outputFile.json=${file}`, ...args], { cwd: root, env });
  const summary = summaryOf({ report: readReport(file), failedChecks, exitCode: ending.code ?? 1 });
  console.log(`\n${summary.text}`);
  if (ending.signal) endLike(ending);
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
