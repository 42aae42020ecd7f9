/** Prints everything that prevents a start to stderr, with the count first. */
export function printProblems(problems: readonly string[]): void {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  - ${problem.replaceAll('\n', '\n    ')}`);
  process.stderr.write([`llama-corral cannot start (${count}):`, ...lines, ''].join('\n'));
}

/**
 * Exits after a failure, even if something that was opened before keeps the process alive: a server, a child, a
 * timer. Pending output has this long to be written.
 */
export function exitSoon(delayMs = 1000): void {
  setTimeout(() => process.exit(), delayMs).unref();
}
