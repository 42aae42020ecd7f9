import { stripVTControlCharacters } from 'node:util';

/** Writes a message for people to stderr, apart from the data. */
export function writeStderr(message: string): void {
  process.stderr.write(`${message}\n`);
}

/** Writes data to stdout, for scripts. */
export function writeStdout(data: string): void {
  process.stdout.write(`${data}\n`);
}

export function writeJson(data: unknown): void {
  writeStdout(JSON.stringify(data, null, 2));
}

/** Formats rows as a table with two spaces between columns. Colours do not count as width. */
export function align(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  const fill = (cell: string, column: number) => cell + ' '.repeat((widths[column] ?? 0) - widthOf(cell));
  return rows.map((row) => row.map(fill).join('  ').trimEnd()).join('\n');
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}

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
