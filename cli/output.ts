import { stripVTControlCharacters } from 'node:util';

/** Words for the person at the terminal, on stderr: they never mix with the data. */
export function writeStderr(words: string): void {
  process.stderr.write(`${words}\n`);
}

/** Data, on stdout, where a script reads it. */
export function writeStdout(data: string): void {
  process.stdout.write(`${data}\n`);
}

export function writeJson(data: unknown): void {
  writeStdout(JSON.stringify(data, null, 2));
}

/** Rows as a table: two blanks between columns, nothing after the last; colours take no room. */
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

/** Bytes for people. */
export function formatBytes(bytes: number): string {
  const gib = bytes / 1024 ** 3;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
