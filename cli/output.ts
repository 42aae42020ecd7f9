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

/** Narrower columns would say nothing. */
const LEAST_WIDTH = 9;

/**
 * Writes a table for people. On a terminal that is too narrow, the widest cells are cut: lines that wrap cannot be read.
 * Anywhere else all is written.
 */
export function writeTable(
  rows: readonly (readonly string[])[],
  columns: number | undefined = process.stdout.isTTY ? process.stdout.columns : undefined,
): void {
  writeStdout(align(columns === undefined ? rows : shrink(rows, columns)));
}

function shrink(rows: readonly (readonly string[])[], columns: number): string[][] {
  const count = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const total = () => widths.reduce((sum, width) => sum + width, 2 * (count - 1));
  while (total() > columns) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= LEAST_WIDTH) break;
    widths[widest] = width - 1;
  }
  return rows.map((row) => row.map((cell, column) => cut(cell, widths[column] ?? 0)));
}

/** Without its colours, if it has to be cut: they would not end. */
function cut(cell: string, width: number): string {
  return widthOf(cell) <= width ? cell : `${stripVTControlCharacters(cell).slice(0, width - 1)}…`;
}

function widthOf(cell: string): number {
  return stripVTControlCharacters(cell).length;
}

/** Formats rows as CSV: RFC 4180, but for the end of the last line, which the output adds. */
export function formatCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((cells) => `${cells.map(formatCell).join(',')}\r`).join('\n');
}

function formatCell(cell: string | number): string {
  const text = typeof cell === 'string' ? withoutFormula(cell) : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Spreadsheets run text that begins like this as a formula. The apostrophe makes it text, and is not shown by them. */
function withoutFormula(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
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
