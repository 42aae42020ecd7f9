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
