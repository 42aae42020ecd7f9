/**
 * The parts of vitest's JSON report that are counted.
 * @typedef {{ numPassedTests: number, numFailedTests: number, testResults: { status: string, assertionResults: { status: string }[] }[] }} Report
 */

/**
 * How a test run ended. `progress` is what is known if it was killed, which leaves no report.
 * @typedef {{ report?: Report | undefined, progress?: import('./progress-reporter.js').Progress | undefined, failedChecks: readonly string[], exitCode: number, signal?: string | null }} TestRun
 */

/**
 * The last lines of a test run. A file that could not be loaded counts as one failure, as does each failed check, and a
 * run that failed outside any test (an uncaught error, a signal).
 * @param {TestRun} run
 */
export function summaryOf({ report, progress, failedChecks, exitCode, signal }) {
  const passed = report?.numPassedTests ?? progress?.passed ?? 0;
  const unloaded = (report?.testResults ?? []).filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failures = (report?.numFailedTests ?? progress?.failed ?? 0) + unloaded;
  const unexplained = signal || (exitCode !== 0 && failures === 0) ? 1 : 0;
  const failed = failures + unexplained + failedChecks.length;
  const lines = [`${passed} passed, ${failed} failed`];
  // Their output is far above.
  if (failedChecks.length > 0) lines.unshift(`failed checks: ${failedChecks.join(', ')}`);
  if (signal) lines.unshift(endText(signal, progress));
  return { text: lines.join('\n'), isGood: failed === 0 };
}

/**
 * @param {string} signal
 * @param {TestRun['progress']} progress
 */
function endText(signal, progress) {
  const running = (progress?.running ?? []).map((file) => `\n  ${file}`).join('');
  return `the test run was ended by ${signal} before its end${running && `, while these files ran:${running}`}`;
}
