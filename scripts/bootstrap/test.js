import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runChecks } from './check.js';
import { progressFile } from './progress-reporter.js';
import { endLike, run } from './run.js';
import { summaryOf } from './summary.js';

/**
 * Runs the checks beside the tests, which begin with downloads. The last line has the counts.
 * @param {{ node: string, root: string, env: NodeJS.ProcessEnv, args: readonly string[] }} context
 * @returns {Promise<boolean>} whether everything passed
 */
export async function runTests({ node, root, env, args }) {
  const reportFile = join(root, '.cache/test-report.json');
  for (const file of [reportFile, progressFile]) rmSync(file, { force: true });
  mkdirSync(join(root, '.cache'), { recursive: true });
  const reporters = ['default', 'json', './scripts/bootstrap/progress-reporter.js'];
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...reporters.map((name) => `--reporter=${name}`)];
  const vitestArgs = [...vitest, `--outputFile.json=${reportFile}`, ...args];
  const [{ failed: failedChecks }, result] = await Promise.all([
    runChecks({ node, root, env }),
    run(node, vitestArgs, { cwd: root, env }),
  ]);
  const summary = summaryOf({
    report: readJson(reportFile),
    progress: readJson(progressFile),
    failedChecks,
    exitCode: result.code ?? 1,
    signal: result.signal,
  });
  console.log(`\n${summary.text}`);
  if (result.signal) endLike(result);
  return summary.isGood;
}

/** @param {string} file */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
