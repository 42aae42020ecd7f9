/**
 * The parts of vitest's JSON report that are counted.
 * @typedef {{ numPassedTests: number, numFailedTests: number, testResults: { status: string, assertionResults: { status: string }[] }[] }} Report
 */

/**
 * The last line of a test run. A file that could not be loaded counts as one failure, as does each failed check, and a
 * run that failed outside any test (an uncaught error).
 * @param {{ report: Report | undefined, failedChecks: number, exitCode: number }} run
 */
export function summaryOf({ report, failedChecks, exitCode }) {
  const passed = report?.numPassedTests ?? 0;
  const unloaded = (report?.testResults ?? []).filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failures = (report?.numFailedTests ?? 0) + unloaded;
  const unexplained = exitCode !== 0 && failures === 0 ? 1 : 0;
  const failed = failures + unexplained + failedChecks;
  return { text: `${passed} passed, ${failed} failed`, isGood: failed === 0 };
}
