/** Shows on stderr all that keeps a process from starting. Their number comes first, as there may be many. */
export function printProblems(problems: readonly string[]): void {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  - ${problem.replaceAll('\n', '\n    ')}`);
  process.stderr.write([`llama-corral cannot start (${count}):`, ...lines, ''].join('\n'));
}

/**
 * Ends this process once it has failed, should something that was opened on the way to the failure still hold it: a
 * listening server, a child, a timer. What is being written meanwhile has its moment.
 */
export function exitSoon(patienceMs = 1000): void {
  setTimeout(() => process.exit(), patienceMs).unref();
}
